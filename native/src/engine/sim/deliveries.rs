//! What the receiver got, and how late.

use std::time::Duration;

use super::Net;

/// A datagram as its receiver got it.
pub struct Delivery {
    pub delay: Duration,
}

impl Net {
    /// Records of datagrams: kind 12, id, length, payload (`events`); kind 15, id, count, of those that came too late;
    /// kinds 6 and 7, id, stream, of a transfer. Others come before there are any.
    pub fn take_datagrams(&mut self, mut events: &[u8]) {
        const HEAD: usize = 1 + 8 + 4;
        const STREAM: usize = 1 + 8 + 8;
        while let Some(&kind) = events.first() {
            events = match kind {
                12 => {
                    let length = u32::from_le_bytes(events[9..HEAD].try_into().expect("four bytes")) as usize;
                    self.take_datagram(&events[HEAD..HEAD + length]);
                    &events[HEAD + length..]
                }
                15 => &events[HEAD..],
                6 | 7 => &events[STREAM..],
                _ => return,
            };
        }
    }

    fn take_datagram(&mut self, payload: &[u8]) {
        let word = |at: usize| u64::from_be_bytes(payload[at..at + 8].try_into().expect("eight bytes"));
        let made = Duration::from_nanos(word(24));
        self.delivered.push(Delivery { delay: self.elapsed() - made });
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
