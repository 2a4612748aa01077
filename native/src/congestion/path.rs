//! What acknowledgements show of a path: rate, round trips, queue and loss, taken together by interval.

use std::time::{Duration, Instant};

use super::{
    filters::{BaseDelay, Climb, Interval, LossFilter, RateFilter},
    standstill::Standstill,
};

/// How long an interval is: a round trip within these bounds.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(20);
pub const LONGEST_INTERVAL: Duration = Duration::from_millis(100);
/// An interval shorter than the longest has as many round trips, so that jitter does not look like a queue.
const SAMPLES: u32 = 8;
/// Round trips are believed up to this: a peer that withholds acknowledgements must not widen its window.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);
const MOST_NOISE: Duration = Duration::from_millis(60);
/// How much of a queue jitter may be taken for.
const MOST_JITTER: Duration = Duration::from_millis(20);
/// So many intervals in a row may show nothing but that somebody stood still. A path whose acknowledgements always come
/// in bursts is believed in the next one.
const MOST_STANDSTILLS: u32 = 5;

/// What an interval that is over showed.
pub struct Closed {
    /// The lowest round trip.
    pub floor: Duration,
    /// Bytes per second.
    pub delivered: f64,
    pub acked: u64,
    /// Something waited for the window.
    pub limited: bool,
    /// How much round trips differ within an interval.
    pub noise: Duration,
    pub queue_before: Duration,
    pub loss_before: f64,
    /// Somebody stood still: what is late, lost or missing shows nothing about the path.
    pub stood_still: bool,
}

#[derive(Clone)]
pub struct Path {
    pub rates: RateFilter,
    base: BaseDelay,
    interval: Interval,
    pub round_trip: Duration,
    /// How much round trips differ within an interval.
    pub noise: Duration,
    /// How long packets were in flight of late.
    pub mean: Duration,
    pub queue: Duration,
    pub climb: Climb,
    pub losses: LossFilter,
    pub loss: f64,
    newest_of_batch: Option<Instant>,
    /// When the first packet after a silence left, until it is acknowledged.
    first: Option<Instant>,
    /// Its round trip: nothing of ours was on the path.
    alone: Option<Duration>,
    standstill: Standstill,
    /// The interval has one in it.
    stood_still: bool,
    standstills: u32,
    /// The interval is over but for what may come at once with the last acknowledgement.
    is_held: bool,
}

impl Path {
    pub fn new(now: Instant) -> Self {
        Self {
            rates: RateFilter::new(now),
            base: BaseDelay::new(now),
            interval: Interval::new(now),
            round_trip: Duration::ZERO,
            noise: Duration::ZERO,
            mean: Duration::ZERO,
            queue: Duration::ZERO,
            climb: Climb::default(),
            losses: LossFilter::default(),
            loss: 0.0,
            newest_of_batch: None,
            first: None,
            alone: None,
            standstill: Standstill::default(),
            stood_still: false,
            standstills: 0,
            is_held: false,
        }
    }

    /// The round trip without a queue.
    pub fn base(&self) -> Duration {
        self.base.get().unwrap_or(self.round_trip)
    }

    /// Waits that jitter does not explain: where round trips differ, the lowest of an interval is above the path's own.
    pub fn certain_queue(&self) -> Duration {
        self.queue.saturating_sub(self.noise.min(MOST_JITTER))
    }

    /// The path is longer than it was.
    pub fn believe(&mut self, floor: Duration, now: Instant) {
        self.base.replace(floor, now);
    }

    pub fn limited(&mut self) {
        self.interval.limited = true;
    }

    pub fn is_limited(&self) -> bool {
        self.interval.limited
    }

    /// A packet leaves while nothing is in flight. After a silence a new interval begins with it: time in which nothing
    /// was sent does not show what the path carries. What the interval before showed, if that ends it.
    pub fn begins(&mut self, mtu: u64, now: Instant) -> Option<Closed> {
        if !self.interval.is_long(now, LONGEST_INTERVAL) {
            return None;
        }
        self.first = Some(now);
        let closed = (self.interval.samples() > 0).then(|| self.close(mtu, now));
        self.interval = Interval::new(now);
        closed
    }

    pub fn acked(&mut self, now: Instant, sent: Instant, bytes: u64) {
        if self.first == Some(sent) {
            self.first = None;
            self.alone = Some(now.duration_since(sent).min(LONGEST_ROUND_TRIP));
        }
        self.interval.acked(now, sent, bytes);
        self.newest_of_batch = Some(self.newest_of_batch.map_or(sent, |newest| newest.max(sent)));
        self.standstill.acked(now, sent);
    }

    pub fn lost(&mut self, bytes: u64) {
        self.interval.lost += bytes;
    }

    /// The end of a batch of acknowledgements; what the interval showed, if that ends it.
    pub fn acks_end(&mut self, mtu: u64, now: Instant) -> Option<Closed> {
        let newest = self.newest_of_batch.take()?;
        let sample = now.duration_since(newest).min(LONGEST_ROUND_TRIP);
        // Where that one took longer, so does the path, by itself or by others: it met no queue of ours.
        if let Some(alone) = self.alone.take().filter(|&alone| alone > self.base()) {
            self.base.replace(alone, now);
        }
        self.interval.round_trip(sample);
        self.round_trip = if self.round_trip.is_zero() { sample } else { (self.round_trip * 7 + sample) / 8 };
        let length = self.round_trip.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        let longest = self.interval.is_complete(now, LONGEST_INTERVAL);
        let is_over = longest || (self.interval.is_complete(now, length) && self.interval.samples() >= SAMPLES);
        self.stood_still |= self.standstill.is_over();
        if is_over && !self.is_held && self.standstill.may_be(now) {
            self.is_held = true;
            return None;
        }
        is_over.then(|| self.close(mtu, now))
    }

    /// Whether the interval shows nothing about the path.
    fn is_void(&mut self) -> bool {
        let is_void = std::mem::take(&mut self.stood_still) && self.standstills < MOST_STANDSTILLS;
        self.standstills = if is_void { self.standstills + 1 } else { 0 };
        self.is_held = false;
        is_void
    }

    fn close(&mut self, mtu: u64, now: Instant) -> Closed {
        let floor = self.interval.floor();
        let delivered = self.interval.delivered_rate();
        let (queue_before, loss_before) = (self.queue, self.loss);
        self.rates.push(delivered, now);
        let stood_still = self.is_void();
        if !stood_still {
            self.mean = self.interval.mean();
            self.noise = (self.noise * 7 + self.mean.saturating_sub(floor).min(MOST_NOISE)) / 8;
            self.base.push(floor, now);
            self.queue = floor.saturating_sub(self.base());
            self.losses.push(self.interval.acked, self.interval.lost, now.duration_since(self.interval.since));
            self.loss = self.losses.share(mtu);
            self.climb.push(queue_before, self.queue, self.noise);
        }
        let Interval { acked, limited, .. } = self.interval;
        self.interval.restart(now);
        Closed { floor, delivered, acked, limited, noise: self.noise, queue_before, loss_before, stood_still }
    }
}
