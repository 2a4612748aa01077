//! The window of streams. They carry bulk data, which waits: they give way to loss as a TCP connection does. A loss
//! without a queue takes no more than what the path was shown to carry (TCP Westwood+), unless CUBIC would leave more.

use std::time::{Duration, Instant};

use super::{
    cubic::Cubic,
    filters::{BaseDelay, RateFilter},
    law::INITIAL_WINDOW,
    path::Closed,
};

/// Rates of so many seconds before the running one: those of a path that another flow came to are soon forgotten.
const RATE_SECONDS: usize = 2;
/// A queue of this share of the path's own round trip is one: the path is full, and loss is its answer.
const QUEUE_SHARE: u32 = 4;
/// Round trips that differ within an interval count up to this share of the path's own.
const NOISE_SHARE: u32 = 2;

#[derive(Clone)]
pub struct Streams {
    cubic: Cubic,
    rates: RateFilter,
    base: BaseDelay,
    /// Of the last interval and the one before: what is lost is known a round trip later.
    queues: [Duration; 2],
    noise: Duration,
    /// Bytes that were acknowledged in this interval.
    acked: u64,
}

impl Streams {
    pub fn new(mtu: u16, now: Instant) -> Self {
        Self {
            cubic: Cubic::new(INITIAL_WINDOW, mtu.into()),
            rates: RateFilter::new(now),
            base: BaseDelay::new(now),
            queues: [Duration::ZERO; 2],
            noise: Duration::ZERO,
            acked: 0,
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
        if is_limit {
            self.cubic.acked(sent, bytes, round_trip, now);
        } else {
            self.cubic.idle();
        }
    }

    /// The law has closed an interval.
    pub fn close(&mut self, closed: &Closed, now: Instant) {
        let share = self.acked as f64 / closed.acked.max(1) as f64;
        self.rates.push(closed.delivered * share.min(1.0), now);
        self.base.push(closed.floor, now);
        let queue = closed.floor.saturating_sub(self.base.get().unwrap_or(closed.floor));
        self.queues = [queue, self.queues[0]];
        self.noise = closed.noise;
        self.acked = 0;
    }

    /// Packets were lost, or one was marked; `sent` is when the last of them left.
    pub fn lost(&mut self, sent: Instant, is_persistent: bool, now: Instant) {
        self.cubic.lost(sent, self.justified(), now);
        if is_persistent {
            self.cubic.collapse();
        }
    }

    /// What the path carries without a queue, in bytes; 0 where there is one.
    fn justified(&self) -> u64 {
        let Some(base) = self.base.get() else { return 0 };
        if self.queues.iter().any(|&queue| queue > base / QUEUE_SHARE) {
            return 0;
        }
        let round_trip = base + self.noise.min(base / NOISE_SHARE);
        (self.rates.peak(RATE_SECONDS) * round_trip.as_secs_f64()) as u64
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
    fn a_loss_with_a_queue_leaves_what_cubic_leaves() {
        assert_eq!(after_loss(BASE / 2), 84);
    }
}
