//! CUBIC (RFC 9438): the window that a TCP connection would have in our place.

use std::time::{Duration, Instant};

const BETA: f64 = 0.7;
const C: f64 = 0.4;
/// §4.6, RFC 9002 §7.2: never below this many packets.
const LEAST_PACKETS: f64 = 2.0;

/// Growth since the window was last made smaller, or since it was last used up again (§5.8).
#[derive(Clone)]
struct Epoch {
    since: Instant,
    /// Seconds until the window is at its highest again.
    k: f64,
    /// The window that Reno would have, in packets (§4.3).
    reno: f64,
}

#[derive(Clone)]
pub struct Cubic {
    mtu: f64,
    /// In packets, as everything here.
    window: f64,
    /// Slow start ends here.
    threshold: f64,
    /// The window before the last loss.
    highest: f64,
    epoch: Option<Epoch>,
    /// What was sent before does not count (RFC 9002 §7.3.2).
    recovery: Option<Instant>,
}

impl Cubic {
    /// In slow start.
    pub fn new(window: u64, mtu: u64) -> Self {
        let mtu = mtu as f64;
        let window = window as f64 / mtu;
        Self { mtu, window, threshold: f64::INFINITY, highest: window, epoch: None, recovery: None }
    }

    /// At its highest: growth begins as slowly as after a loss.
    pub fn at_highest(window: u64, mtu: u64, now: Instant) -> Self {
        let mut cubic = Self::new(window.max(4 * mtu), mtu);
        cubic.threshold = cubic.window;
        let k = (cubic.highest * (1.0 - BETA) / C).cbrt();
        cubic.epoch = Some(Epoch { since: now, k, reno: cubic.highest * BETA });
        cubic
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> u64 {
        (self.window * self.mtu) as u64
    }

    /// The window counts bytes: it stays what it was.
    pub fn set_mtu(&mut self, mtu: u64) {
        let factor = self.mtu / mtu as f64;
        self.mtu = mtu as f64;
        self.window = (self.window * factor).max(LEAST_PACKETS);
        self.threshold *= factor;
        self.highest *= factor;
        self.epoch = None;
    }

    /// Bytes that were acknowledged while the window was the limit.
    pub fn acked(&mut self, sent: Instant, bytes: u64, round_trip: Duration, now: Instant) {
        if self.recovery.is_some_and(|since| sent <= since) {
            return;
        }
        let packets = bytes as f64 / self.mtu;
        if self.window < self.threshold {
            self.window += packets;
            return;
        }
        let (window, highest) = (self.window, self.highest.max(self.window));
        let epoch =
            self.epoch.get_or_insert_with(|| Epoch { since: now, k: ((highest - window) / C).cbrt(), reno: window });
        let t = (now.saturating_duration_since(epoch.since) + round_trip).as_secs_f64();
        let cubic = (C * (t - epoch.k).powi(3) + highest).clamp(window, 1.5 * window);
        // §4.3: as fast as Reno with a reduction to one half, from the highest window on as fast as Reno.
        let alpha = if epoch.reno < highest { 3.0 * (1.0 - BETA) / (1.0 + BETA) } else { 1.0 };
        epoch.reno += alpha * packets / window;
        self.window = (window + (cubic - window) * packets / window).max(epoch.reno);
    }

    /// The window was not used up: what is acknowledged does not show that it may be larger.
    pub fn idle(&mut self) {
        self.epoch = None;
    }

    /// A packet that was sent at `sent` is lost or was marked; counts once a round trip. The window stays at or above
    /// `justified` bytes, if it was there.
    pub fn lost(&mut self, sent: Instant, justified: u64, now: Instant) {
        if self.recovery.is_some_and(|since| sent <= since) {
            return;
        }
        let before = self.window;
        // §4.7: who had less than last time leaves room to others.
        self.highest = if before < self.highest { before * (1.0 + BETA) / 2.0 } else { before };
        let justified = (justified as f64 / self.mtu).min(before);
        self.window = (before * BETA).max(justified).max(LEAST_PACKETS);
        self.highest = self.highest.max(self.window);
        self.threshold = self.window;
        self.epoch = None;
        self.recovery = Some(now);
    }

    pub fn is_in_slow_start(&self) -> bool {
        self.window < self.threshold
    }

    /// The path was found to carry `window` bytes, or is asked whether it does. Growth begins there.
    pub fn resume(&mut self, window: u64) {
        self.window = (window as f64 / self.mtu).max(LEAST_PACKETS);
        self.threshold = self.window;
        self.epoch = None;
    }

    /// What was sent before this does not make the window smaller any more.
    pub fn forgive(&mut self, now: Instant) {
        self.recovery = Some(now);
    }

    /// Persistent congestion (RFC 9002 §7.6.2).
    pub fn collapse(&mut self) {
        self.threshold = (self.window * BETA).max(LEAST_PACKETS);
        self.window = LEAST_PACKETS;
        self.recovery = None;
        self.epoch = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MTU: u64 = 1000;
    const ROUND_TRIP: Duration = Duration::from_millis(100);

    /// Whole windows are acknowledged, one a round trip.
    fn rounds(cubic: &mut Cubic, now: &mut Instant, count: u32) {
        for _ in 0..count {
            let sent = *now;
            *now += ROUND_TRIP;
            cubic.acked(sent, cubic.window(), ROUND_TRIP, *now);
        }
    }

    #[test]
    fn slow_start_doubles_each_round_trip_until_the_first_loss() {
        let mut now = Instant::now();
        let mut cubic = Cubic::new(10 * MTU, MTU);
        rounds(&mut cubic, &mut now, 3);
        assert_eq!(cubic.window(), 80 * MTU);
        cubic.lost(now, 0, now);
        assert_eq!(cubic.window(), 56 * MTU);
    }

    #[test]
    fn losses_of_one_round_trip_count_once() {
        let now = Instant::now();
        let mut cubic = Cubic::new(100 * MTU, MTU);
        cubic.lost(now, 0, now + ROUND_TRIP);
        let after = cubic.window();
        cubic.lost(now + ROUND_TRIP / 2, 0, now + ROUND_TRIP * 3 / 2);
        assert_eq!(cubic.window(), after);
        cubic.lost(now + 2 * ROUND_TRIP, 0, now + 3 * ROUND_TRIP);
        assert!(cubic.window() < after);
    }

    #[test]
    fn growth_is_steep_then_flat_at_the_former_window_then_steep() {
        let mut now = Instant::now();
        let mut cubic = Cubic::new(400 * MTU, MTU);
        cubic.lost(now, 0, now);
        // K is the cube root of 300 packets: 6.7 s.
        let mut grown = Vec::new();
        for _ in 0..14 {
            let before = cubic.window();
            now += Duration::from_millis(1);
            rounds(&mut cubic, &mut now, 10);
            grown.push(cubic.window() - before);
        }
        assert!(grown[0] > 4 * grown[6], "{grown:?}");
        assert!(grown[13] > 4 * grown[6], "{grown:?}");
    }

    #[test]
    fn a_window_that_is_not_used_up_does_not_grow() {
        let mut now = Instant::now();
        let mut cubic = Cubic::new(100 * MTU, MTU);
        cubic.lost(now, 0, now);
        now += Duration::from_millis(1);
        rounds(&mut cubic, &mut now, 1);
        let before = cubic.window();
        cubic.idle();
        now += Duration::from_secs(60);
        rounds(&mut cubic, &mut now, 1);
        assert!(cubic.window() < before + 5 * MTU);
    }

    #[test]
    fn a_loss_leaves_what_is_justified() {
        let now = Instant::now();
        let mut cubic = Cubic::new(100 * MTU, MTU);
        cubic.lost(now, 95 * MTU, now);
        assert_eq!(cubic.window(), 95 * MTU);
        cubic.lost(now + ROUND_TRIP, 500 * MTU, now + ROUND_TRIP);
        assert_eq!(cubic.window(), 95 * MTU);
    }

    #[test]
    fn persistent_congestion_leaves_two_packets() {
        let mut now = Instant::now();
        let mut cubic = Cubic::new(100 * MTU, MTU);
        cubic.collapse();
        assert_eq!(cubic.window(), 2 * MTU);
        rounds(&mut cubic, &mut now, 5);
        assert!(cubic.window() >= 64 * MTU);
    }
}
