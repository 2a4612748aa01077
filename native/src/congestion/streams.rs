//! The window of streams. They carry bulk data, which waits: they give way to loss as a TCP connection does. A loss
//! leaves what the path was shown to carry without a queue (TCP Westwood+), or what CUBIC leaves if that is more.

use std::time::{Duration, Instant};

use super::{
    cubic::Cubic,
    filters::{BaseDelay, RateFilter},
    law::INITIAL_WINDOW,
    path::Closed,
    probe::{Answer, Probe},
};

/// Rates of so many seconds before the running one: those of a path that another flow came to are soon forgotten.
const RATE_SECONDS: usize = 2;
/// A queue of this share of the path's own round trip is one: the path is full.
const QUEUE_SHARE: u32 = 4;
/// Round trips that differ within an interval count up to this share of the path's own.
const NOISE_SHARE: u32 = 2;

#[derive(Clone)]
pub struct Streams {
    cubic: Cubic,
    probe: Probe,
    rates: RateFilter,
    base: BaseDelay,
    /// Of the last interval and the one before. A process that stands still makes one of them long, a full path both.
    queues: [Duration; 2],
    noise: Duration,
    /// Bytes that were acknowledged in this interval.
    acked: u64,
    /// More would have been sent in this interval if the window had let it.
    limited: bool,
}

impl Streams {
    pub fn new(mtu: u16, now: Instant) -> Self {
        Self {
            cubic: Cubic::new(INITIAL_WINDOW, mtu.into()),
            probe: Probe::new(now),
            rates: RateFilter::new(now),
            base: BaseDelay::new(now),
            queues: [Duration::ZERO; 2],
            noise: Duration::ZERO,
            acked: 0,
            limited: false,
        }
    }

    /// Bytes of streams that may be in flight.
    pub fn window(&self) -> u64 {
        self.cubic.window()
    }

    pub fn set_mtu(&mut self, mtu: u16) {
        self.cubic.set_mtu(mtu.into());
    }

    /// `is_limit`: more would have been sent if the window had let it.
    pub fn acked(&mut self, sent: Instant, bytes: u64, round_trip: Duration, is_limit: bool, now: Instant) {
        self.acked += bytes;
        self.limited |= is_limit;
        if is_limit {
            self.cubic.acked(sent, bytes, round_trip, now);
        } else {
            self.cubic.idle();
        }
    }

    /// The law has closed an interval.
    pub fn close(&mut self, closed: &Closed, now: Instant) {
        let share = self.acked as f64 / closed.acked.max(1) as f64;
        let rate = closed.delivered * share.min(1.0);
        self.rates.push(rate, now);
        if !closed.stood_still {
            self.base.push(closed.floor, now);
            let queue = closed.floor.saturating_sub(self.base.get().unwrap_or(closed.floor));
            self.queues = [queue, self.queues[0]];
            self.noise = closed.noise;
            self.look_for_more(rate, closed.floor, now);
        }
        (self.acked, self.limited) = (0, false);
    }

    fn look_for_more(&mut self, rate: f64, round_trip: Duration, now: Instant) {
        let is_queued = self.is_queued();
        if let Answer::NoMore(window) = self.probe.turn(rate, is_queued, now) {
            self.cubic.resume(window.max(self.justified()));
            self.cubic.forgive(now);
        }
        if self.limited && !is_queued && !self.cubic.is_in_slow_start() {
            let (peak, justified) = (self.rates.peak(RATE_SECONDS), self.justified());
            if let Some(window) = self.probe.begin(peak, justified, self.window(), round_trip, now) {
                self.cubic.resume(window);
            }
        }
    }

    /// Packets were lost, or one was marked; `sent` is when the last of them left. A probe lasts two round trips, and
    /// its answer is the rate.
    pub fn lost(&mut self, sent: Instant, is_persistent: bool, now: Instant) {
        if is_persistent {
            self.probe.stop(now);
            self.cubic.collapse();
        } else if !self.probe.is_running() {
            self.cubic.lost(sent, self.justified(), now);
        }
    }

    fn is_queued(&self) -> bool {
        let base = self.base.get().unwrap_or_default();
        self.queues.iter().all(|&queue| queue > base / QUEUE_SHARE)
    }

    /// What the path carries in a round trip of its own, in bytes.
    fn justified(&self) -> u64 {
        let Some(base) = self.base.get() else { return 0 };
        let noise = if self.is_queued() { Duration::ZERO } else { self.noise.min(base / NOISE_SHARE) };
        (self.rates.peak(RATE_SECONDS) * (base + noise).as_secs_f64()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MTU: u64 = 1200;
    const BASE: Duration = Duration::from_millis(40);
    /// Bytes a second that the path carries: 100 packets a round trip.
    const CARRIED: f64 = 100.0 * MTU as f64 / 0.040;

    fn interval(streams: &mut Streams, floor: Duration, now: &mut Instant) {
        *now += BASE;
        streams.acked(*now - BASE, 100 * MTU, floor, false, *now);
        let closed = Closed {
            floor,
            delivered: CARRIED,
            acked: 100 * MTU,
            limited: false,
            noise: Duration::ZERO,
            queue_before: Duration::ZERO,
            loss_before: 0.0,
            stood_still: false,
        };
        streams.close(&closed, *now);
    }

    /// The window after a loss on a path whose queue was this long.
    fn after_loss(queue: Duration) -> u64 {
        let mut now = Instant::now();
        let mut streams = Streams::new(MTU as u16, now);
        interval(&mut streams, BASE, &mut now);
        interval(&mut streams, BASE, &mut now);
        streams.acked(now, 72 * MTU, BASE, true, now);
        assert_eq!(streams.window(), 120 * MTU);
        interval(&mut streams, BASE + queue, &mut now);
        streams.lost(now, false, now);
        streams.window() / MTU
    }

    #[test]
    fn a_loss_without_a_queue_leaves_what_the_path_carries() {
        assert_eq!(after_loss(Duration::ZERO), 100);
        assert_eq!(after_loss(BASE / 8), 100);
    }

    #[test]
    fn a_loss_with_a_queue_leaves_no_more_than_that_or_what_cubic_leaves() {
        assert_eq!(after_loss(BASE / 2), 100);
        let mut now = Instant::now();
        let mut streams = Streams::new(MTU as u16, now);
        interval(&mut streams, BASE, &mut now);
        streams.acked(now, 152 * MTU, BASE, true, now);
        assert_eq!(streams.window(), 200 * MTU);
        streams.lost(now, false, now);
        assert_eq!(streams.window() / MTU, 140);
    }

    #[test]
    fn a_window_below_what_the_path_carries_is_tried_larger_until_the_rate_does_not_follow() {
        let mut now = Instant::now();
        let mut streams = Streams::new(MTU as u16, now);
        interval(&mut streams, BASE, &mut now);
        streams.lost(now, false, now);
        let before = streams.window();
        streams.acked(now, MTU, BASE, true, now);
        interval(&mut streams, BASE, &mut now);
        assert_eq!(streams.window() / MTU, 125);
        // The probe is its own answer: a loss meanwhile takes nothing away.
        streams.lost(now, false, now);
        assert_eq!(streams.window() / MTU, 125);
        for _ in 0..3 {
            interval(&mut streams, BASE, &mut now);
        }
        assert!(streams.window() >= before && streams.window() <= 101 * MTU, "{}", streams.window());
    }
}
