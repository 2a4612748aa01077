//! When a connection that only received packets acknowledges them. An ACK costs a packet; where nothing waits for it,
//! several received packets share one.

use std::time::{Duration, Instant};

use super::Connection;

/// A connection whose streams were written to within this time has ACK-clocked data: its peer gets an ACK at once.
const STREAM_ACTIVITY: Duration = Duration::from_millis(20);
/// ACKs wait for this many packets or `ACK_DELAY`, whichever is first; well under the 25 ms that we advertise as
/// max_ack_delay.
const ACK_PACKETS: u32 = 8;
pub const ACK_DELAY: Duration = Duration::from_millis(4);
/// As many at once are a burst, behind which the peer's window may be closed: acknowledged at once.
const BURST_PACKETS: u32 = 4;
/// While a peer may still be in slow start it needs each ACK.
const YOUNG_PACKETS: u32 = 400;
/// If the peer fell silent before its ACK came, it may have waited for it (a small window). Or it sends so little that
/// a saved packet is nothing. In both cases acknowledge at once for this many packets; double the number each time.
const FIRST_PROMPT_PACKETS: u32 = 64;
const MAX_PROMPT_PACKETS: u32 = 8192;

pub struct AckPace {
    /// Packets received since the last flush, and in this turn.
    unanswered: u32,
    this_turn: u32,
    last_received: Option<Instant>,
    prompt_left: u32,
    next_prompt: u32,
}

impl AckPace {
    pub fn new() -> Self {
        Self {
            unanswered: 0,
            this_turn: 0,
            last_received: None,
            prompt_left: YOUNG_PACKETS,
            next_prompt: FIRST_PROMPT_PACKETS,
        }
    }

    pub fn received(&mut self, now: Instant) {
        self.unanswered += 1;
        self.this_turn += 1;
        self.last_received = Some(now);
        self.prompt_left = self.prompt_left.saturating_sub(1);
    }

    pub fn last_received(&self) -> Option<Instant> {
        self.last_received
    }

    pub fn answered(&mut self) {
        self.unanswered = 0;
    }

    /// Ends the turn. Returns whether the ACK may wait for more packets.
    fn end_turn(&mut self) -> bool {
        let burst = std::mem::take(&mut self.this_turn) >= BURST_PACKETS;
        self.prompt_left == 0 && !burst && self.unanswered < ACK_PACKETS
    }

    /// The wait is over: was the peer still sending?
    pub fn waited(&mut self, now: Instant) {
        if self.last_received.is_some_and(|at| now.duration_since(at) < ACK_DELAY / 2) {
            self.next_prompt = FIRST_PROMPT_PACKETS;
        } else {
            self.prompt_left = self.next_prompt;
            self.next_prompt = (self.next_prompt * 2).min(MAX_PROMPT_PACKETS);
        }
    }
}

impl Connection {
    /// Whether the packets of this turn need nothing but an ACK, and the ACK may wait.
    pub fn may_wait(&mut self, now: Instant) -> bool {
        self.acks.end_turn()
            && self.is_established()
            && self.queue.is_empty()
            && self.close_request.is_none()
            && self.last_stream_write.is_none_or(|at| now.duration_since(at) > STREAM_ACTIVITY)
            && self.quinn_datagram_bytes() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worn_in(now: Instant) -> AckPace {
        let mut pace = AckPace::new();
        for _ in 0..YOUNG_PACKETS {
            pace.received(now);
            pace.end_turn();
        }
        pace.answered();
        pace
    }

    #[test]
    fn a_young_connection_is_answered_at_once() {
        let mut pace = AckPace::new();
        pace.received(Instant::now());
        assert!(!pace.end_turn());
    }

    #[test]
    fn single_packets_wait_until_there_are_eight() {
        let now = Instant::now();
        let mut pace = worn_in(now);
        for _ in 1..ACK_PACKETS {
            pace.received(now);
            assert!(pace.end_turn());
        }
        pace.received(now);
        assert!(!pace.end_turn());
    }

    #[test]
    fn a_burst_is_answered_at_once() {
        let now = Instant::now();
        let mut pace = worn_in(now);
        for _ in 0..BURST_PACKETS {
            pace.received(now);
        }
        assert!(!pace.end_turn());
    }

    #[test]
    fn a_peer_that_waits_for_its_ack_is_answered_at_once_for_a_while_longer_each_time() {
        let start = Instant::now();
        let mut pace = worn_in(start);
        for packets in [FIRST_PROMPT_PACKETS, 2 * FIRST_PROMPT_PACKETS] {
            pace.waited(start + ACK_DELAY);
            for _ in 1..packets {
                pace.received(start);
                assert!(!pace.end_turn());
                pace.answered();
            }
            pace.received(start);
            assert!(pace.end_turn());
        }
    }
}
