//! Which datagrams and streams may leave now. Datagrams pass here before quinn gets them, so that none waits where it
//! cannot grow old.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::congestion::{LiveController, Opening, Signals};

/// Around a datagram: short header, id, packet number, frame type, tag.
const PACKET_OVERHEAD: u64 = 40;
/// While a path is silent: one datagram a round trip, at most one in this time (RFC 8085 §3.1.1). So the flow is back
/// as soon as the path.
const SHORTEST_ASKING: Duration = Duration::from_millis(20);
/// On a full path that datagrams fill, streams get a packet this often: control messages must pass.
const STREAM_TURN: Duration = Duration::from_millis(20);

/// At the pace of a full path, what may leave at once.
const LONGEST_BURST: Duration = Duration::from_millis(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LARGEST_PACKET: f64 = 1500.0;

pub struct Gate {
    signals: Option<Arc<Signals>>,
    /// The address of the path that `signals` are of.
    path: SocketAddr,
    last_asked: Option<Instant>,
    last_ping: Option<Instant>,
    last_stream_turn: Option<Instant>,
    /// What may leave at the pace of a full path, and when that was known.
    tokens: f64,
    filled: Option<Instant>,
}

impl Gate {
    pub fn new(quic: &quinn_proto::Connection) -> Self {
        let path = quic.remote_address();
        Self {
            signals: LiveController::of(quic),
            path,
            last_asked: None,
            last_ping: None,
            last_stream_turn: None,
            tokens: 0.0,
            filled: None,
        }
    }

    /// quinn begins anew on a path of another address.
    pub fn follow(&mut self, quic: &quinn_proto::Connection) {
        if quic.remote_address() != self.path {
            *self = Self::new(quic);
        }
    }

    pub fn is_full(&self) -> bool {
        self.signals.as_ref().is_some_and(|signals| signals.is_full())
    }

    pub fn set_open(&self, opening: Opening) {
        if let Some(signals) = &self.signals {
            signals.set_open(opening);
        }
    }

    /// Whether a datagram may follow `handed` bytes that leave now. With streams at work datagrams go before them:
    /// those fill the window, and wait until it has room again.
    pub fn admits(&mut self, handed: u64, length: u64, streams: bool, now: Instant) -> bool {
        let Some(signals) = &self.signals else { return true };
        let bytes = length + PACKET_OVERHEAD;
        let pace = signals.pace();
        let room = if streams || pace.is_some() { signals.room_beyond() } else { signals.room() };
        if let Some(pace) = pace {
            let most = (pace as f64 * LONGEST_BURST.as_secs_f64()).max((2 * bytes) as f64);
            let passed = self.filled.map_or(Duration::ZERO, |filled| now.saturating_duration_since(filled));
            self.tokens = (self.tokens + pace as f64 * passed.as_secs_f64()).min(most);
            self.filled = Some(now);
        }
        let paced = pace.is_none() || self.tokens >= bytes as f64;
        if paced && handed + bytes <= room {
            self.tokens -= if pace.is_some() { bytes as f64 } else { 0.0 };
            return true;
        }
        signals.set_limited();
        let pause = signals.round_trip().max(SHORTEST_ASKING);
        let asks =
            handed == 0 && signals.is_silent(now) && self.last_asked.is_none_or(|at| now.duration_since(at) >= pause);
        if asks {
            self.last_asked = Some(now);
        }
        asks
    }

    /// Whether a packet without a datagram asks, too: on a path whose MTU became smaller only such a one arrives. While
    /// datagrams ask, quinn's own probe is never due.
    pub fn owes_ping(&mut self, now: Instant) -> bool {
        let Some(signals) = self.signals.as_ref().filter(|signals| signals.is_shared() && signals.is_silent(now))
        else {
            return false;
        };
        let pause = signals.round_trip().max(SHORTEST_ASKING);
        let owes = self.last_ping.is_none_or(|at| now.duration_since(at) >= pause);
        if owes {
            self.last_ping = Some(now);
        }
        owes
    }

    /// When the pace lets a packet go that it holds back now.
    pub fn next_due(&self) -> Option<Instant> {
        let pace = self.signals.as_ref()?.pace()?;
        let missing = (LARGEST_PACKET - self.tokens).max(0.0) / pace as f64;
        // Not for each packet, where they are many.
        self.filled.map(|filled| filled + Duration::from_secs_f64(missing).max(SHORTEST_PAUSE))
    }

    /// Whether a packet of streams is due though the window has no room.
    pub fn owes_streams(&mut self, now: Instant) -> bool {
        let is_filled = self.signals.as_ref().is_some_and(|signals| signals.is_full() && signals.is_shared());
        let owes = is_filled && self.last_stream_turn.is_none_or(|at| now.duration_since(at) >= STREAM_TURN);
        if owes {
            self.last_stream_turn = Some(now);
        }
        owes
    }
}
