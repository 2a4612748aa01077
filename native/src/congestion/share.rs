//! What is sent on a path whose queue another flow holds: no more than TCP would, and room is left for it.

use std::time::{Duration, Instant};

use super::{
    full::{FLAT, SHORT_QUEUE},
    shadow::Shadow,
};

/// Next to another flow: for so long, then it is looked at again.
const SHARE_FOR: Duration = Duration::from_secs(10);
/// CUBIC hardly moves for seconds when it is where it last lost.
const FLAT_FOR: Duration = Duration::from_secs(6);
/// Of the rate that was delivered before: what comes in an even pace loses less in the same queue than the bursts of
/// bulk, and would take all of it.
const YIELD: f64 = 0.6;

pub enum Outlook {
    Shared,
    /// It has been a while: is the other one still there?
    Unsure,
    /// Nothing waits any more.
    Free,
    /// The path is as long as this; nobody moves the queue.
    Longer(Duration),
}

#[derive(Clone)]
pub struct Share {
    shadow: Shadow,
    /// Bytes per second.
    most: f64,
    until: Instant,
    lowest: Duration,
    highest: Duration,
    flat_since: Instant,
}

impl Share {
    /// `rate` was delivered before, `floor` is the lowest round trip of late.
    pub fn new(rate: f64, round_trip: Duration, floor: Duration, mtu: u64, now: Instant) -> Self {
        let most = YIELD * rate;
        let shadow = Shadow::new((most * round_trip.as_secs_f64()) as u64, mtu, now);
        Self { shadow, most, until: now + SHARE_FOR, lowest: floor, highest: floor, flat_since: now }
    }

    pub fn window(&self, round_trip: Duration) -> f64 {
        (self.shadow.window() as f64).min(self.most * round_trip.as_secs_f64())
    }

    pub fn acked(&mut self, bytes: u64, round_trip: Duration, now: Instant) {
        self.shadow.acked(bytes, round_trip, now);
    }

    pub fn lost(&mut self, sent: Instant, now: Instant) {
        self.shadow.lost(sent, now);
    }

    pub fn turn(&mut self, floor: Duration, queue: Duration, now: Instant) -> Outlook {
        (self.lowest, self.highest) = (self.lowest.min(floor), self.highest.max(floor));
        if self.highest - self.lowest > FLAT {
            (self.lowest, self.highest, self.flat_since) = (floor, floor, now);
        }
        let flat = now.duration_since(self.flat_since) >= FLAT_FOR;
        if flat && queue <= SHORT_QUEUE {
            Outlook::Free
        } else if flat {
            Outlook::Longer(self.lowest)
        } else if now >= self.until {
            self.until = now + SHARE_FOR;
            Outlook::Unsure
        } else {
            Outlook::Shared
        }
    }
}
