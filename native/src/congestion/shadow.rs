//! The window that a TCP flow would have in our place (CUBIC, RFC 9438): how much we take where another flow holds the
//! queue.

use std::time::{Duration, Instant};

const BETA: f64 = 0.7;
const C: f64 = 0.4;

#[derive(Clone)]
pub struct Shadow {
    window: f64,
    highest: f64,
    /// When the window was last made smaller.
    since: Instant,
    mtu: f64,
}

impl Shadow {
    pub fn new(window: u64, mtu: u64, now: Instant) -> Self {
        let mtu = mtu as f64;
        let window = (window as f64).max(4.0 * mtu);
        Self { window, highest: window, since: now, mtu }
    }

    pub fn window(&self) -> u64 {
        self.window as u64
    }

    pub fn acked(&mut self, bytes: u64, round_trip: Duration, now: Instant) {
        let t = now.duration_since(self.since).as_secs_f64();
        let highest = self.highest / self.mtu;
        let k = (highest * (1.0 - BETA) / C).cbrt();
        let cubic = (C * (t - k).powi(3) + highest) * self.mtu;
        // RFC 9438 §4.3: never below what Reno would have.
        let rounds = t / round_trip.as_secs_f64().max(1e-3);
        let reno = (highest * BETA + 3.0 * (1.0 - BETA) / (1.0 + BETA) * rounds) * self.mtu;
        // §4.4: by at most half of what was acknowledged.
        self.window = cubic.max(reno).clamp(self.window, self.window + bytes as f64 / 2.0);
    }

    /// A packet that was sent at `sent` is lost; once per round trip.
    pub fn lost(&mut self, sent: Instant, now: Instant) {
        if sent <= self.since {
            return;
        }
        self.highest = self.window;
        self.window = (self.window * BETA).max(4.0 * self.mtu);
        self.since = now;
    }
}
