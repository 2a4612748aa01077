//! Beside another flow that holds the queue of a full path: the window that a TCP connection would have.

use std::time::{Duration, Instant};

use super::{
    cubic::Cubic,
    full::{FLAT, SHORT_QUEUE, Verdict},
};

/// For so long, then it is looked at again.
const SHARE_FOR: Duration = Duration::from_secs(10);
/// A queue that did not move for so long is the path's length.
const FLAT_FOR: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub struct Share {
    cubic: Cubic,
    until: Instant,
    lowest: Duration,
    highest: Duration,
    flat_since: Instant,
}

impl Share {
    pub fn new(in_flight: u64, mtu: u64, floor: Duration, now: Instant) -> Self {
        let cubic = Cubic::at_highest(in_flight, mtu, now);
        Self { cubic, until: now + SHARE_FOR, lowest: floor, highest: floor, flat_since: now }
    }

    pub fn window(&self) -> u64 {
        self.cubic.window()
    }

    pub fn acked(&mut self, sent: Instant, bytes: u64, round_trip: Duration, now: Instant) {
        self.cubic.acked(sent, bytes, round_trip, now);
    }

    pub fn lost(&mut self, sent: Instant, now: Instant) {
        self.cubic.lost(sent, 0, now);
    }

    /// An interval is over.
    pub fn turn(&mut self, floor: Duration, queue: Duration, now: Instant) -> Verdict {
        (self.lowest, self.highest) = (self.lowest.min(floor), self.highest.max(floor));
        if self.highest - self.lowest > FLAT {
            (self.lowest, self.highest, self.flat_since) = (floor, floor, now);
        }
        let flat = now.duration_since(self.flat_since) >= FLAT_FOR;
        if flat && queue <= SHORT_QUEUE {
            Verdict::Free
        } else if flat {
            Verdict::Longer(self.lowest)
        } else if now >= self.until {
            Verdict::Full
        } else {
            Verdict::Foreign
        }
    }
}
