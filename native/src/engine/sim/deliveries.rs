//! What the receiver got, and how late.

use std::time::Duration;

use super::Net;

/// A datagram as its receiver got it.
pub struct Delivery {
    pub delay: Duration,
}

impl Net {
    /// Records of datagrams: kind 12, id, length, payload (`events`); and kind 15, id, count, of those that came too
    /// late. Others come before there are any.
    pub fn take_datagrams(&mut self, mut events: &[u8]) {
        const HEAD: usize = 1 + 8 + 4;
        while events.len() >= HEAD && (events[0] == 12 || events[0] == 15) {
            if events[0] == 15 {
                events = &events[HEAD..];
                continue;
            }
            let length = u32::from_le_bytes(events[9..HEAD].try_into().expect("four bytes")) as usize;
            let payload = &events[HEAD..HEAD + length];
            let word = |at: usize| u64::from_be_bytes(payload[at..at + 8].try_into().expect("eight bytes"));
            let made = Duration::from_nanos(word(24));
            self.delivered.push(Delivery { delay: self.elapsed() - made });
            events = &events[HEAD + length..];
        }
    }

    /// Starts a new count of what is delivered and dropped.
    pub fn begin_count(&mut self) {
        self.delivered.clear();
        for path in self.down.iter_mut().chain(&mut self.up) {
            (path.carried, path.lost) = (0, 0);
        }
    }

    pub fn quantile(&self, share: f64) -> Duration {
        let mut delays: Vec<Duration> = self.delivered.iter().map(|delivery| delivery.delay).collect();
        delays.sort();
        let at = ((delays.len() as f64 * share) as usize).min(delays.len().saturating_sub(1));
        delays.get(at).copied().unwrap_or(Duration::MAX)
    }
}
