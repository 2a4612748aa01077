//! Whether loss without a queue is ours: for a few round trips no more is sent than was delivered. Random loss stays,
//! that of a full path without a buffer goes.

use std::time::{Duration, Instant};

/// Enough to distinguish a quarter of the loss from all of it.
const PACKETS: u64 = 100;
const LONGEST: Duration = Duration::from_secs(1);
/// Fewer losses than these would be no surprise where none was.
const EXPECTED: f64 = 6.0;

pub enum Answer {
    Waits,
    /// The loss does not depend on us, or too little was sent to know.
    Random,
    /// The path is full and has no buffer; this much is still lost.
    Full(f64),
}

#[derive(Clone)]
pub struct Trial {
    began: Instant,
    /// What is sent from then on does not count: all that waited for the pace leaves at that moment.
    ends: Option<Instant>,
    loss_before: f64,
    sent: u64,
    acked: u64,
    lost: u64,
    is_doubtful: bool,
}

impl Trial {
    pub fn new(loss_before: f64, now: Instant) -> Self {
        Self { began: now, ends: None, loss_before, sent: 0, acked: 0, lost: 0, is_doubtful: false }
    }

    /// Whether less is sent than comes.
    pub fn is_held_back(&self) -> bool {
        self.ends.is_none()
    }

    /// Somebody stood still meanwhile: what is late counts as lost, and nothing is concluded.
    pub fn doubt(&mut self) {
        self.is_doubtful = true;
    }

    pub fn sent(&mut self, bytes: u64) {
        self.sent += bytes;
    }

    pub fn acked(&mut self, sent: Instant, bytes: u64) {
        self.acked += if self.counts(sent) { bytes } else { 0 };
    }

    pub fn lost(&mut self, sent: Instant, bytes: u64) {
        self.lost += if self.counts(sent) { bytes } else { 0 };
    }

    fn counts(&self, sent: Instant) -> bool {
        sent >= self.began && self.ends.is_none_or(|ends| sent < ends)
    }

    pub fn turn(&mut self, mtu: u64, round_trip: Duration, now: Instant) -> Answer {
        let Some(ends) = self.ends else {
            if self.sent >= PACKETS * mtu || now.duration_since(self.began) >= LONGEST {
                self.ends = Some(now);
            }
            return Answer::Waits;
        };
        // Until all that was lost is known to be.
        if now.duration_since(ends) < 3 * round_trip {
            return Answer::Waits;
        }
        let all = (self.acked + self.lost) as f64;
        let loss = self.lost as f64 / all.max(1.0);
        let is_enough = !self.is_doubtful && self.loss_before * all >= EXPECTED * mtu as f64;
        if is_enough && loss < self.loss_before / 4.0 { Answer::Full(loss) } else { Answer::Random }
    }
}
