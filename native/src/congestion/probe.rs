//! Whether a path carries more than its streams send: more is in flight for two round trips, and what is delivered
//! answers (BBR's ProbeBW). CUBIC alone grows by a packet a round trip where random loss never lets it wait.

use std::time::{Duration, Instant};

/// So many times what the path has carried is in flight, in a first probe and in one after a probe that found more.
const FIRST_GAIN: f64 = 1.25;
const NEXT_GAIN: f64 = 1.5;
/// Between a probe that found nothing and the next one.
const REST: Duration = Duration::from_secs(1);
/// Round trips that are shorter than this differ by more than a probe could show.
const LEAST: Duration = Duration::from_millis(20);

pub enum Answer {
    Waits,
    /// The path carries more than before.
    More,
    /// It does not. The window before the probe was this.
    NoMore(u64),
}

#[derive(Clone)]
struct Running {
    ends: Instant,
    /// The delivered rate that is more.
    wanted: f64,
    window: u64,
}

#[derive(Clone)]
pub struct Probe {
    running: Option<Running>,
    gain: f64,
    after: Instant,
}

impl Probe {
    pub fn new(now: Instant) -> Self {
        Self { running: None, gain: FIRST_GAIN, after: now }
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The window to probe with, where the path carried `rate` and `carried` bytes in a round trip. None where it is
    /// too early, or the window is as large already.
    pub fn begin(&mut self, rate: f64, carried: u64, window: u64, round_trip: Duration, now: Instant) -> Option<u64> {
        let larger = (carried as f64 * self.gain) as u64;
        if now < self.after || larger <= window || self.is_running() {
            return None;
        }
        let wanted = rate * (1.0 + self.gain) / 2.0;
        self.running = Some(Running { ends: now + 2 * round_trip + LEAST, wanted, window });
        Some(larger)
    }

    /// An interval is over in which so much was delivered.
    pub fn turn(&mut self, rate: f64, is_queued: bool, now: Instant) -> Answer {
        let Some(running) = &self.running else { return Answer::Waits };
        if rate >= running.wanted {
            self.running = None;
            self.gain = NEXT_GAIN;
            return Answer::More;
        }
        if !is_queued && now < running.ends {
            return Answer::Waits;
        }
        let window = running.window;
        self.stop(now);
        Answer::NoMore(window)
    }

    pub fn stop(&mut self, now: Instant) {
        self.running = None;
        self.gain = FIRST_GAIN;
        self.after = now + REST;
    }
}
