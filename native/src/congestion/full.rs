//! What is sent on a path that is full: a rate that follows what is delivered, and keeps the queue short but not empty.

use std::time::{Duration, Instant};

/// A queue of this length is one (the lowest round trip of an interval above the path's own).
pub const LONG_QUEUE: Duration = Duration::from_millis(42);
pub const SHORT_QUEUE: Duration = Duration::from_millis(10);
const MIDDLE_QUEUE: Duration = Duration::from_millis(20);
const VERY_LONG_QUEUE: Duration = Duration::from_millis(60);
/// The target above the delivered rate, for each interval without a queue: a path that carries twice as much is found
/// in 3 s.
const GROWTH: f64 = 1.03;
/// The same while there is a short queue that does not grow.
const CAREFUL_GROWTH: f64 = 1.01;
/// Loss above what there was when the path was found to be full is the path's answer to too much.
const MORE_LOSS: f64 = 0.04;
/// After less was sent for that reason: until the loss of before is forgotten.
const STILL_FOR: Duration = Duration::from_secs(2);
/// Loss that stays when so many times less was sent is not ours.
const VAIN_CUTS: u32 = 2;
/// A full path whose flow needs no more than it gets is free again after this.
const CALM: Duration = Duration::from_secs(1);
/// So is one over which so many times what arrived at most of late could have left, and nothing queues. A picture of
/// video leaves as a burst, which always waits for the pace, so such a flow is never calm.
const AMPLE: f64 = 2.0;
/// Without an empty queue for so long the path's own round trip is looked for (BBR's ProbeRTT).
const EMPTY_EVERY: Duration = Duration::from_secs(5);
/// A queue that does not get shorter for so many intervals, though less is sent than arrives, belongs to another flow.
/// If it does not even move for twice as many, there is no queue: the path is longer.
const FOREIGN_INTERVALS: u32 = 10;
/// The same of a path whose round trips differ by more than this is the path's, after so many.
const JITTER: Duration = Duration::from_millis(3);
const JITTER_INTERVALS: u32 = 4;
/// A flow that has given way to this share of its rate without emptying the queue did not make it.
const FUTILE: f64 = 0.15;
/// A queue that moves by less does not move.
pub const FLAT: Duration = Duration::from_millis(8);

/// What an interval showed.
pub struct Seen {
    pub floor: Duration,
    pub queue: Duration,
    /// How much round trips differ within an interval.
    pub noise: Duration,
    pub delivered: f64,
    /// The most that was delivered of late.
    pub peak: f64,
    /// Shares of late, and of the interval.
    pub loss: f64,
    pub limited: bool,
}

pub enum Verdict {
    Full,
    /// Nothing waits: the path carries what comes.
    Free,
    /// The path is as long as this.
    Longer(Duration),
    /// Another flow holds the queue.
    Foreign,
}

#[derive(Clone)]
pub struct Full {
    rate: f64,
    gain: f64,
    loss: f64,
    still_until: Option<Instant>,
    cuts: u32,
    calm_since: Option<Instant>,
    empty_seen: Instant,
    queue: Duration,
    /// The rate when the queue was last empty, and the lowest round trip since.
    anchor: f64,
    nearest: Duration,
    foreign: u32,
    lowest: Duration,
    highest: Duration,
}

impl Full {
    pub fn new(rate: f64, loss: f64, now: Instant) -> Self {
        Self {
            rate,
            gain: 1.0,
            loss,
            still_until: None,
            cuts: 0,
            calm_since: None,
            empty_seen: now,
            queue: Duration::ZERO,
            anchor: rate,
            nearest: Duration::MAX,
            foreign: 0,
            lowest: Duration::MAX,
            highest: Duration::ZERO,
        }
    }

    /// After a trial that was held back to `rate` and lost this share. What was lost before it counts for nothing.
    pub fn after_trial(rate: f64, loss: f64, now: Instant) -> Self {
        Self { still_until: Some(now + STILL_FOR), ..Self::new(rate, loss, now) }
    }

    /// Bytes per second.
    pub fn pace(&self) -> f64 {
        self.rate * self.gain
    }

    pub fn turn(&mut self, seen: &Seen, now: Instant) -> Verdict {
        self.follow(seen, now);
        self.queue = seen.queue;
        self.calm_since = if seen.limited { None } else { self.calm_since.or(Some(now)) };
        if self.calm_since.is_some_and(|since| now.duration_since(since) >= CALM) {
            return Verdict::Free;
        }
        let is_ample = seen.queue <= SHORT_QUEUE && self.rate >= AMPLE * seen.peak;
        if is_ample || self.cuts > VAIN_CUTS {
            return Verdict::Free;
        }
        self.judge(seen)
    }

    fn follow(&mut self, seen: &Seen, now: Instant) {
        if seen.queue <= SHORT_QUEUE {
            self.empty_seen = now;
        }
        if seen.queue > SHORT_QUEUE {
            // A queue of ours that gets shorter delivers more than is sent, and all that the path can; one that grows
            // delivers less. A rate that is delivered as it is sent shows nothing, and to follow it would lead from one
            // lower rate to the next.
            let (pace, delivered) = (self.pace(), seen.delivered);
            if delivered > 1.02 * pace || (delivered < 0.9 * pace && self.grows(seen)) {
                self.rate = delivered;
            } else if seen.limited && seen.queue <= LONG_QUEUE && seen.queue <= self.queue + SHORT_QUEUE / 4 {
                self.rate *= CAREFUL_GROWTH;
            }
        } else if self.still_until.is_some_and(|until| now < until) {
            // What was sent before still counts as lost.
        } else if seen.loss > self.loss + MORE_LOSS {
            self.rate = seen.delivered.min(self.rate);
            self.still_until = Some(now + STILL_FOR);
            self.cuts += 1;
        } else {
            self.cuts = 0;
            if seen.limited {
                self.rate = self.rate.max(seen.delivered) * GROWTH;
            }
        }
        let unseen = now.duration_since(self.empty_seen) >= EMPTY_EVERY;
        self.gain = match seen.queue {
            queue if queue > VERY_LONG_QUEUE => 0.5,
            queue if queue > MIDDLE_QUEUE || unseen => 0.8,
            queue if queue > SHORT_QUEUE => 0.95,
            _ => 1.0,
        };
    }

    fn grows(&self, seen: &Seen) -> bool {
        seen.queue > LONG_QUEUE && seen.queue > self.queue
    }

    fn judge(&mut self, seen: &Seen) -> Verdict {
        self.nearest = self.nearest.min(seen.floor);
        if seen.queue <= SHORT_QUEUE / 2 {
            (self.anchor, self.nearest) = (self.rate, seen.floor);
        } else if self.rate < FUTILE * self.anchor {
            return Verdict::Longer(self.nearest);
        }
        if seen.queue <= LONG_QUEUE || seen.floor + FLAT / 2 < self.lowest {
            (self.foreign, self.lowest, self.highest) = (0, seen.floor, seen.floor);
            return Verdict::Full;
        }
        self.foreign += 1;
        (self.lowest, self.highest) = (self.lowest.min(seen.floor), self.highest.max(seen.floor));
        let moves = self.highest - self.lowest;
        // Where packets of a path differ that much, so do its round trips.
        let jitters = seen.noise > JITTER && moves <= 2 * seen.noise + FLAT;
        if jitters && self.foreign >= JITTER_INTERVALS {
            Verdict::Longer(self.lowest)
        } else if self.foreign >= FOREIGN_INTERVALS && moves > FLAT {
            Verdict::Foreign
        } else if self.foreign >= 2 * FOREIGN_INTERVALS {
            Verdict::Longer(self.lowest)
        } else {
            Verdict::Full
        }
    }
}
