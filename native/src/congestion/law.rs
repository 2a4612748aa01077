//! The law of `docs/media-paths.md`: how much may be in flight. Pure: it is given the time and what happened, and keeps
//! no clock.

use std::time::{Duration, Instant};

use super::{
    filters::{BaseDelay, Climb, Interval, LossFilter, RateFilter},
    full::{FLAT, Full, LONG_QUEUE, SHORT_QUEUE, Seen, Verdict},
    shadow::Shadow,
    trial::{Answer, Trial},
};

/// In flight before anything is known, and at least: what a picture of 4 Mbit/s needs at once.
pub const INITIAL_WINDOW: u64 = 48 * 1200;
/// No rate and no round trip justify more.
const MAX_WINDOW: f64 = 64.0 * 1024.0 * 1024.0;
/// How long an interval is: a round trip within these bounds.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(20);
const LONGEST_INTERVAL: Duration = Duration::from_millis(100);
/// An interval shorter than the longest has as many round trips, so that jitter does not look like a queue.
const SAMPLES: u32 = 8;
/// While the path carries what comes: twice the delivered rate over the round trip and this, so that a burst or a rise
/// is not held back.
const HEADROOM: f64 = 2.0;
const ALLOWANCE: Duration = Duration::from_millis(30);
/// Round trips are believed up to this: a peer that withholds acknowledgements must not widen its window.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(1);
const MOST_NOISE: Duration = Duration::from_millis(60);
/// Loss without a queue is tried at a lower rate from here: random loss stays, that of a full path with no buffer goes.
const HEAVY_LOSS: f64 = 0.08;
const BATCH_PACKETS: u64 = 6;
const FIRST_TRIAL_WAIT: Duration = Duration::from_secs(10);
const LONGEST_TRIAL_WAIT: Duration = Duration::from_secs(60);
/// Next to another flow: for so long, then it is looked at again.
const SHARE_FOR: Duration = Duration::from_secs(10);
const FLAT_FOR: Duration = Duration::from_secs(3);

#[derive(Clone)]
enum Mode {
    /// The path carries what comes.
    Free { high: Option<High> },
    /// Sends no more than was delivered for a few round trips: does the loss go?
    Trial(Trial),
    /// The path is full, and only ours.
    Full(Full),
    /// The path is full, and another flow holds its queue.
    Share { shadow: Shadow, until: Instant, lowest: Duration, highest: Duration, flat_since: Instant },
}

#[derive(Clone)]
struct High {
    since: Instant,
    before: Duration,
    loss_before: f64,
}

#[derive(Clone)]
pub struct Law {
    mtu: u64,
    rates: RateFilter,
    base: BaseDelay,
    interval: Interval,
    mode: Mode,
    in_flight: u64,
    /// Slow start's part: what was acknowledged while the window was the limit.
    grown: u64,
    round_trip: Duration,
    /// How much round trips differ within an interval.
    noise: Duration,
    /// How long packets were in flight of late.
    mean: Duration,
    queue: Duration,
    climb: Climb,
    losses: LossFilter,
    loss: f64,
    newest_of_batch: Option<Instant>,
    trial_after: Instant,
    trial_wait: Duration,
    /// The value that `window` returns; computed anew after each acknowledgement or loss.
    window: u64,
}

impl Law {
    pub fn new(mtu: u16, now: Instant) -> Self {
        Self {
            mtu: mtu.into(),
            rates: RateFilter::new(now),
            base: BaseDelay::new(now),
            interval: Interval::new(now),
            mode: Mode::Free { high: None },
            in_flight: 0,
            grown: INITIAL_WINDOW,
            round_trip: Duration::ZERO,
            noise: Duration::ZERO,
            mean: Duration::ZERO,
            queue: Duration::ZERO,
            climb: Climb::default(),
            losses: LossFilter::default(),
            loss: 0.0,
            newest_of_batch: None,
            trial_after: now,
            trial_wait: FIRST_TRIAL_WAIT,
            window: INITIAL_WINDOW,
        }
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// The path carries less than the flow sends.
    pub fn is_full(&self) -> bool {
        matches!(self.mode, Mode::Full(_) | Mode::Share { .. })
    }

    /// Bytes per second that datagrams may leave at; None where the window alone limits.
    pub fn pace(&self) -> Option<f64> {
        match &self.mode {
            Mode::Full(full) => Some(full.pace().max(4.0 * self.mtu as f64)),
            Mode::Trial(trial) if trial.is_held_back() => Some(self.rates.peak(1)),
            _ => None,
        }
    }

    pub fn set_mtu(&mut self, mtu: u16) {
        self.mtu = mtu.into();
    }

    pub fn sent(&mut self, bytes: u64) {
        self.in_flight += bytes;
        if let Mode::Trial(trial) = &mut self.mode {
            trial.sent(bytes);
        }
    }

    /// Something waited for the window.
    pub fn limited(&mut self) {
        self.interval.limited = true;
    }

    pub fn acked(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.interval.acked(now, sent, bytes);
        self.newest_of_batch = Some(self.newest_of_batch.map_or(sent, |newest| newest.max(sent)));
        let limited = self.interval.limited || self.in_flight + 2 * self.mtu >= self.window;
        if limited {
            self.interval.limited = true;
        }
        let round_trip = self.round_trip;
        match &mut self.mode {
            Mode::Free { .. } if limited => self.grown = (self.grown + bytes).min(MAX_WINDOW as u64),
            Mode::Trial(trial) => trial.acked(sent, bytes),
            Mode::Share { shadow, .. } if limited => shadow.acked(bytes, round_trip, now),
            _ => {}
        }
    }

    /// The end of a batch of acknowledgements. `in_flight` is what is left.
    pub fn acks_end(&mut self, now: Instant, in_flight: u64) {
        self.in_flight = in_flight;
        let Some(newest) = self.newest_of_batch.take() else { return };
        let sample = now.duration_since(newest).min(LONGEST_ROUND_TRIP);
        self.interval.round_trip(sample);
        self.round_trip = if self.round_trip.is_zero() { sample } else { (self.round_trip * 7 + sample) / 8 };
        let length = self.round_trip.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
        let longest = self.interval.is_complete(now, LONGEST_INTERVAL);
        if longest || (self.interval.is_complete(now, length) && self.interval.samples() >= SAMPLES) {
            self.close_interval(now);
        }
        self.window = self.justified();
    }

    pub fn lost(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
        self.interval.lost += bytes;
        match &mut self.mode {
            Mode::Trial(trial) => trial.lost(sent, bytes),
            Mode::Share { shadow, .. } => shadow.lost(sent, now),
            _ => {}
        }
        self.window = self.justified();
    }

    /// A router marked a packet: the path is full (RFC 9000 §13.4, RFC 3168).
    pub fn marked(&mut self, now: Instant, sent: Instant) {
        match &mut self.mode {
            Mode::Share { shadow, .. } => shadow.lost(sent, now),
            Mode::Full(_) => {}
            Mode::Free { .. } | Mode::Trial(_) => self.enter_full(now),
        }
        self.window = self.justified();
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> u64 {
        self.window
    }

    fn justified(&self) -> u64 {
        let base = self.base.get().unwrap_or(self.round_trip);
        let over = |rate: f64, time: Duration| rate * time.as_secs_f64();
        // Lost packets count as in flight until they are known to be lost, about as long as a round trip.
        let losses = 1.0 + 2.0 * self.loss.min(0.5);
        // Acknowledgements come for several packets at once.
        let batch = (BATCH_PACKETS * self.mtu) as f64;
        let least = 4 * self.mtu;
        let bytes = match &self.mode {
            Mode::Trial(trial) if trial.is_held_back() => {
                2.0 * losses * over(self.rates.peak(1), base + self.noise) + batch
            }
            Mode::Free { .. } | Mode::Trial(_) => {
                let justified = HEADROOM * losses * over(self.rates.peak(9), self.round_trip + ALLOWANCE + self.noise);
                return (justified.min(MAX_WINDOW) as u64).max(self.grown).max(INITIAL_WINDOW);
            }
            // The pace is what limits; in flight may be as much as it takes for as long as packets are.
            Mode::Full(full) => losses * over(full.pace(), self.mean) + batch,
            Mode::Share { shadow, .. } => return shadow.window().max(least),
        };
        (bytes.min(MAX_WINDOW) as u64).max(least)
    }

    fn close_interval(&mut self, now: Instant) {
        let floor = self.interval.floor();
        let loss_before = self.loss;
        self.rates.push(self.interval.delivered_rate(now), now);
        self.mean = self.interval.mean();
        self.noise = (self.noise * 7 + self.interval.mean().saturating_sub(floor).min(MOST_NOISE)) / 8;
        self.base.push(floor, now);
        let queue_before = self.queue;
        self.queue = floor.saturating_sub(self.base.get().unwrap_or(floor));
        self.losses.push(self.interval.acked, self.interval.lost, now.duration_since(self.interval.since));
        self.loss = self.losses.share(self.mtu);
        self.climb.push(queue_before, self.queue, self.noise);
        let limited = self.interval.limited;
        match self.mode.clone() {
            Mode::Free { high } => self.while_free(now, high, queue_before, loss_before, limited),
            Mode::Trial(trial) => self.while_trial(now, trial),
            Mode::Full(full) => self.while_full(now, full, limited),
            Mode::Share { .. } => self.while_shared(now, floor),
        }
        self.interval.restart(now);
    }

    fn while_free(&mut self, now: Instant, high: Option<High>, before: Duration, loss_before: f64, limited: bool) {
        if !limited {
            self.grown = (self.grown - self.grown / 32).max(INITIAL_WINDOW);
        }
        if self.queue <= LONG_QUEUE {
            self.mode = Mode::Free { high: None };
            if self.loss >= HEAVY_LOSS && self.losses.is_known(self.mtu) && now >= self.trial_after {
                self.mode = Mode::Trial(Trial::new(self.loss, now));
            }
            return;
        }
        let Some(high) = high else {
            // What creeps up is a queue.
            if limited || self.climb.is_steady() {
                return self.enter_full(now);
            }
            let high = High { since: now, before, loss_before };
            self.mode = Mode::Free { high: Some(high) };
            return;
        };
        // The first of these intervals may have begun before the step.
        let waited = now.duration_since(high.since) >= self.round_trip + 2 * LONGEST_INTERVAL;
        let loses = self.loss > high.loss_before + 0.02;
        if limited || self.climb.is_steady() || (waited && loses) {
            self.enter_full(now);
        } else if waited {
            // A step that stays is a longer path, what crept up is a queue.
            if high.before <= SHORT_QUEUE {
                self.believe_longer_path(self.interval.floor(), now);
            } else {
                self.enter_full(now);
            }
        }
    }

    fn while_trial(&mut self, now: Instant, mut trial: Trial) {
        match trial.turn(self.mtu, self.round_trip, now) {
            Answer::Waits => return self.mode = Mode::Trial(trial),
            Answer::Random => self.mode = Mode::Free { high: None },
            Answer::Full(loss) => {
                self.trial_wait = FIRST_TRIAL_WAIT;
                self.loss = loss;
                self.enter_full(now);
            }
        }
        self.trial_after = now + self.trial_wait;
        self.trial_wait = (self.trial_wait * 2).min(LONGEST_TRIAL_WAIT);
    }

    fn enter_full(&mut self, now: Instant) {
        self.mode = Mode::Full(Full::new(self.rates.peak(1), self.loss, now));
    }

    fn while_full(&mut self, now: Instant, mut full: Full, limited: bool) {
        let floor = self.interval.floor();
        let seen = Seen {
            floor,
            queue: self.queue,
            noise: self.noise,
            delivered: self.rates.latest(),
            loss: self.loss,
            limited,
        };
        let verdict = full.turn(&seen, now);
        match verdict {
            Verdict::Full => self.mode = Mode::Full(full),
            Verdict::Free => self.free(),
            Verdict::Longer(floor) => self.believe_longer_path(floor, now),
            Verdict::Foreign => {
                let in_flight = self.rates.latest() * self.round_trip.as_secs_f64();
                let shadow = Shadow::new(in_flight as u64, self.mtu, now);
                let until = now + SHARE_FOR;
                self.mode = Mode::Share { shadow, until, lowest: floor, highest: floor, flat_since: now };
            }
        }
    }

    fn believe_longer_path(&mut self, floor: Duration, now: Instant) {
        self.base.replace(floor, now);
        self.free();
    }

    fn free(&mut self) {
        self.grown = self.window.max(INITIAL_WINDOW);
        self.mode = Mode::Free { high: None };
    }

    fn while_shared(&mut self, now: Instant, floor: Duration) {
        let queue = self.queue;
        let Mode::Share { until, lowest, highest, flat_since, .. } = &mut self.mode else { return };
        (*lowest, *highest) = ((*lowest).min(floor), (*highest).max(floor));
        if *highest - *lowest > FLAT {
            (*lowest, *highest, *flat_since) = (floor, floor, now);
        }
        let flat = now.duration_since(*flat_since) >= FLAT_FOR;
        let lowest = *lowest;
        if flat && queue <= SHORT_QUEUE {
            self.free();
        } else if flat {
            self.believe_longer_path(lowest, now);
        } else if now >= *until {
            self.enter_full(now);
        }
    }
}
