//! Whether somebody stood still: this process, the peer's, or a device on the way. Acknowledgements of a longer time
//! come at once then. Of a full path they come one by one, as the packets leave its queue.

use std::time::{Duration, Instant};

/// What comes within this time comes at once.
const TOGETHER: Duration = Duration::from_millis(2);
/// A peer's acknowledgement waits for 5 ms, and jitter lets some packets catch up with others.
const LEAST: Duration = Duration::from_millis(20);

#[derive(Clone, Default)]
pub struct Standstill {
    /// When acknowledgements began to come at once, and last came.
    began: Option<Instant>,
    last: Option<Instant>,
    /// How long none had come before.
    gap: Duration,
    /// When the newest packet that is acknowledged was sent: then, and by now.
    newest_before: Option<Instant>,
    newest: Option<Instant>,
    /// When the oldest packet was sent that is newer than `newest_before`.
    oldest: Option<Instant>,
}

impl Standstill {
    pub fn acked(&mut self, now: Instant, sent: Instant) {
        if self.last.is_none_or(|last| now.saturating_duration_since(last) > TOGETHER) {
            self.gap = self.last.map_or(Duration::ZERO, |last| now - last);
            self.began = Some(now);
            (self.newest_before, self.oldest) = (self.newest, None);
        }
        self.last = Some(now);
        if self.newest_before.is_none_or(|before| sent > before) {
            self.oldest = Some(self.oldest.map_or(sent, |oldest| oldest.min(sent)));
            self.newest = Some(self.newest.map_or(sent, |newest| newest.max(sent)));
        }
    }

    /// It was one, as what came at once was sent over a longer time.
    pub fn is_over(&self) -> bool {
        let span = self.newest.zip(self.oldest).map_or(Duration::ZERO, |(newest, oldest)| newest - oldest);
        self.gap >= LEAST && span >= LEAST
    }

    /// The first acknowledgements after a gap are here. What comes at once with them shows what the gap was.
    pub fn may_be(&self, now: Instant) -> bool {
        self.gap >= LEAST && self.began.is_some_and(|began| now.saturating_duration_since(began) <= TOGETHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(80);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A packet is sent each 3 ms; acknowledgements come a round trip later, or when `comes` says. The number of
    /// standstills.
    fn found(sent: impl Fn(u64) -> u64, comes: impl Fn(Duration) -> Duration) -> usize {
        let start = Instant::now();
        let mut standstill = Standstill::default();
        let mut was = false;
        let arrivals = (0..400).map(|number| ms(sent(number))).map(|sent| (comes(sent + ROUND_TRIP), sent));
        let mut count = 0;
        for (at, sent) in arrivals {
            standstill.acked(start + at, start + sent);
            count += usize::from(standstill.is_over() && !was);
            was = standstill.is_over();
        }
        count
    }

    #[test]
    fn an_even_flow_shows_none_and_neither_do_pictures() {
        assert_eq!(found(|number| 3 * number, |at| at), 0);
        assert_eq!(found(|number| number / 12 * 40, |at| at), 0);
    }

    #[test]
    fn a_pause_shows_as_what_comes_at_once_after_it() {
        let pause = |at: Duration| if at > ms(500) && at < ms(580) { ms(580) } else { at };
        assert_eq!(found(|number| 3 * number, pause), 1);
    }

    #[test]
    fn a_queue_lets_packets_go_one_by_one() {
        assert_eq!(found(|number| 3 * number, |at| at + at / 3), 0);
    }
}
