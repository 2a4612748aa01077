//! Whether loss without a queue is that of a full path: for a few round trips no more is sent than was delivered.

use std::time::{Duration, Instant};

const TRIAL_PACKETS: u64 = 60;
const LONGEST_TRIAL: Duration = Duration::from_secs(1);

pub enum Answer {
    Waits,
    /// Loss went to this share: the path is full, and has no buffer.
    Full(f64),
    /// Loss stayed.
    Random,
}

#[derive(Clone)]
pub struct Trial {
    began: Instant,
    /// What is sent later does not count.
    ends: Option<Instant>,
    loss_before: f64,
    sent: u64,
    acked: u64,
    lost: u64,
}

impl Trial {
    pub fn new(loss_before: f64, now: Instant) -> Self {
        Self { began: now, ends: None, loss_before, sent: 0, acked: 0, lost: 0 }
    }

    /// Less is sent; false when only answers are waited for.
    pub fn is_held_back(&self) -> bool {
        self.ends.is_none()
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
        sent >= self.began && self.ends.is_none_or(|ends| sent <= ends)
    }

    pub fn turn(&mut self, mtu: u64, round_trip: Duration, now: Instant) -> Answer {
        let Some(ends) = self.ends else {
            // Enough packets to distinguish a third of the loss from all of it.
            if self.sent >= TRIAL_PACKETS * mtu || now.duration_since(self.began) >= LONGEST_TRIAL {
                self.ends = Some(now);
            }
            return Answer::Waits;
        };
        // Until all that was lost is known to be.
        if now.duration_since(ends) < 3 * round_trip {
            return Answer::Waits;
        }
        let loss = self.lost as f64 / (self.acked + self.lost).max(1) as f64;
        if loss < self.loss_before / 3.0 { Answer::Full(loss) } else { Answer::Random }
    }
}
