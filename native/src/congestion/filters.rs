//! What the law knows of a path: how much it delivers, and how long it takes at its best.

use std::time::{Duration, Instant};

use super::full::{FLAT, SHORT_QUEUE};

/// Intervals in which a queue grew, one after the other. A path that gets longer both ways at once takes two.
const CREEPING: u32 = 3;
/// Delivered rates are kept for this many seconds, the highest of each.
const RATE_SECONDS: usize = 10;
/// A path that got longer is believed after one to two of these (BBR keeps its minimum for 10 s, too).
const BASE_HORIZON: Duration = Duration::from_secs(10);

/// The highest delivered rate of recent seconds, in bytes per second (BBR's max filter,
/// draft-cardwell-iccrg-bbr-congestion-control §4.1.1).
#[derive(Clone)]
pub struct RateFilter {
    highest: [f64; RATE_SECONDS],
    /// When the second of `highest[0]` began.
    since: Instant,
}

impl RateFilter {
    pub fn new(now: Instant) -> Self {
        Self { highest: [0.0; RATE_SECONDS], since: now }
    }

    pub fn push(&mut self, rate: f64, now: Instant) {
        // Time without a sample does not age the filter by more than a second: silence shows nothing about the path.
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            self.highest.rotate_right(1);
            self.highest[0] = 0.0;
            self.since = now;
        }
        self.highest[0] = self.highest[0].max(rate);
    }

    /// The highest of the running second and of `seconds` before it.
    pub fn peak(&self, seconds: usize) -> f64 {
        self.highest.iter().take(seconds + 1).copied().fold(0.0, f64::max)
    }
}

/// Loss is the mean of about as long.
const LOSS_MEMORY: Duration = Duration::from_secs(2);
/// Fewer packets show little: as if so many had been looked at.
const LEAST_PACKETS: f64 = 50.0;

/// The share of bytes that were lost of late.
#[derive(Clone, Default)]
pub struct LossFilter {
    acked: f64,
    lost: f64,
}

impl LossFilter {
    /// What an interval of this length brought.
    pub fn push(&mut self, acked: u64, lost: u64, length: Duration) {
        let kept = (-length.as_secs_f64() / LOSS_MEMORY.as_secs_f64()).exp();
        (self.acked, self.lost) = (self.acked * kept + acked as f64, self.lost * kept + lost as f64);
    }

    pub fn share(&self, mtu: u64) -> f64 {
        self.lost / (self.acked + self.lost).max(LEAST_PACKETS * mtu as f64)
    }

    /// Whether so much was sent that the share is one.
    pub fn is_known(&self, mtu: u64) -> bool {
        self.acked + self.lost >= 2.0 * LEAST_PACKETS * mtu as f64
    }
}

/// A queue that grows from nothing, interval by interval; a longer path shows at once.
#[derive(Clone, Default)]
pub struct Climb {
    intervals: u32,
}

impl Climb {
    pub fn push(&mut self, before: Duration, queue: Duration, noise: Duration) {
        let began = self.intervals > 0 || before <= SHORT_QUEUE;
        let grows = queue >= before + FLAT / 2 + noise / 4;
        self.intervals = if began && grows { self.intervals + 1 } else { 0 };
    }

    pub fn is_steady(&self) -> bool {
        self.intervals >= CREEPING
    }
}

/// The lowest round trip of recent intervals: the path without a queue.
#[derive(Clone)]
pub struct BaseDelay {
    current: Option<Duration>,
    previous: Option<Duration>,
    since: Instant,
}

impl BaseDelay {
    pub fn new(now: Instant) -> Self {
        Self { current: None, previous: None, since: now }
    }

    pub fn push(&mut self, floor: Duration, now: Instant) {
        if now.duration_since(self.since) >= BASE_HORIZON {
            self.previous = self.current.take();
            self.since = now;
        }
        self.current = Some(self.current.map_or(floor, |known| known.min(floor)));
    }

    pub fn get(&self) -> Option<Duration> {
        [self.current, self.previous].into_iter().flatten().min()
    }

    /// The path is longer than it was.
    pub fn replace(&mut self, floor: Duration, now: Instant) {
        *self = Self { current: Some(floor), previous: None, since: now };
    }
}

/// The acknowledgements of an interval, taken together.
#[derive(Clone)]
pub struct Interval {
    pub since: Instant,
    pub acked: u64,
    pub lost: u64,
    /// When the newest packet that was acknowledged before and in this interval was sent.
    newest_before: Option<Instant>,
    newest: Option<Instant>,
    last_acked: Instant,
    /// The lowest round trip; of a batch that is acknowledged together its newest packet has it.
    floor: Duration,
    sum: Duration,
    samples: u32,
    packets: u32,
    /// More would have been sent if the window had let it.
    pub limited: bool,
}

impl Interval {
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            acked: 0,
            lost: 0,
            newest_before: None,
            newest: None,
            last_acked: now,
            floor: Duration::MAX,
            sum: Duration::ZERO,
            samples: 0,
            packets: 0,
            limited: false,
        }
    }

    pub fn acked(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.acked += bytes;
        self.sum += now.duration_since(sent);
        self.packets += 1;
        self.last_acked = now;
        self.newest = Some(self.newest.map_or(sent, |newest| newest.max(sent)));
    }

    pub fn round_trip(&mut self, sample: Duration) {
        self.floor = self.floor.min(sample);
        self.samples += 1;
    }

    pub fn is_long(&self, now: Instant, length: Duration) -> bool {
        now.duration_since(self.since) >= length
    }

    pub fn is_complete(&self, now: Instant, length: Duration) -> bool {
        self.samples > 0 && self.is_long(now, length)
    }

    pub fn samples(&self) -> u32 {
        self.samples
    }

    pub fn floor(&self) -> Duration {
        self.floor
    }

    /// How long packets were in flight, each of them: what was acknowledged together waited for the last of them.
    pub fn mean(&self) -> Duration {
        if self.packets == 0 { Duration::ZERO } else { self.sum / self.packets }
    }

    /// Bytes per second, over the time of sending or that of acknowledging, whichever is longer. Acknowledgements that
    /// were held back and come at once do not make a path faster (draft-cheng-iccrg-delivery-rate-estimation §2.2).
    pub fn delivered_rate(&self) -> f64 {
        let acked_in = self.last_acked.duration_since(self.since);
        let sent_in = match (self.newest_before, self.newest) {
            (Some(before), Some(newest)) => newest.saturating_duration_since(before),
            _ => Duration::ZERO,
        };
        self.acked as f64 / acked_in.max(sent_in).as_secs_f64().max(1e-6)
    }

    pub fn restart(&mut self, now: Instant) {
        *self = Self { newest_before: self.newest.or(self.newest_before), ..Self::new(now) };
    }
}
