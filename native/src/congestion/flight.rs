//! Which of the bytes in flight are datagrams. quinn says when a packet that was acknowledged or lost was sent, not
//! what it carried.

use std::{collections::VecDeque, time::Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Datagrams,
    Streams,
}

#[derive(Clone)]
struct Sent {
    at: Instant,
    /// Of the datagrams' packets of this moment, in flight.
    bytes: u64,
}

/// Packets of datagrams, by the time at which they left. Where streams sent at the same moment, their packets count as
/// the last of it.
#[derive(Clone, Default)]
pub struct Flight {
    sent: VecDeque<Sent>,
    bytes: u64,
}

impl Flight {
    /// Bytes of packets that carry datagrams.
    pub fn datagrams(&self) -> u64 {
        self.bytes
    }

    pub fn sent(&mut self, at: Instant, bytes: u64) {
        self.bytes += bytes;
        match self.sent.back_mut() {
            Some(last) if last.at == at => last.bytes += bytes,
            _ => self.sent.push_back(Sent { at, bytes }),
        }
    }

    pub fn acked(&mut self, at: Instant, bytes: u64) -> Kind {
        let index = self.sent.partition_point(|sent| sent.at < at);
        let Some(sent) = self.sent.get_mut(index).filter(|sent| sent.at == at && sent.bytes > 0) else {
            return Kind::Streams;
        };
        let bytes = bytes.min(sent.bytes);
        sent.bytes -= bytes;
        self.bytes -= bytes;
        while self.sent.front().is_some_and(|first| first.bytes == 0) {
            self.sent.pop_front();
        }
        Kind::Datagrams
    }

    /// `bytes` are lost, the last of them sent at `last`: with them all that is in flight from before. Returns how
    /// many of them were streams'.
    pub fn lost(&mut self, last: Instant, bytes: u64) -> u64 {
        let mut left = bytes;
        while let Some(first) = self.sent.front_mut().filter(|first| first.at <= last) {
            let lost = if first.at < last { first.bytes } else { first.bytes.min(left) };
            left = left.saturating_sub(lost);
            self.bytes -= lost;
            first.bytes -= lost;
            if first.bytes > 0 {
                break;
            }
            self.sent.pop_front();
        }
        left
    }

    /// Nothing is in flight: quinn has forgotten what it sent on another path, for instance.
    pub fn clear(&mut self) {
        self.sent.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn what_is_acknowledged_is_of_the_kind_that_was_sent_then() {
        let start = Instant::now();
        let mut flight = Flight::default();
        flight.sent(at(start, 1), 2000);
        flight.sent(at(start, 3), 1000);
        assert_eq!(flight.acked(at(start, 2), 1000), Kind::Streams);
        assert_eq!(flight.acked(at(start, 3), 1000), Kind::Datagrams);
        assert_eq!(flight.acked(at(start, 1), 1000), Kind::Datagrams);
        assert_eq!(flight.datagrams(), 1000);
        assert_eq!(flight.acked(at(start, 1), 1000), Kind::Datagrams);
        assert_eq!(flight.acked(at(start, 1), 1000), Kind::Streams);
        assert_eq!(flight.datagrams(), 0);
    }

    #[test]
    fn what_is_lost_takes_all_from_before_with_it() {
        let start = Instant::now();
        let mut flight = Flight::default();
        for ms in [1, 3, 5] {
            flight.sent(at(start, ms), 1000);
        }
        // Two packets of datagrams and one of a stream.
        assert_eq!(flight.lost(at(start, 4), 3000), 1000);
        assert_eq!(flight.datagrams(), 1000);
        assert_eq!(flight.lost(at(start, 5), 1000), 0);
        assert_eq!(flight.datagrams(), 0);
    }

    #[test]
    fn later_packets_of_a_moment_stay_in_flight() {
        let start = Instant::now();
        let mut flight = Flight::default();
        flight.sent(start, 3000);
        assert_eq!(flight.lost(start, 1000), 0);
        assert_eq!(flight.datagrams(), 2000);
    }
}
