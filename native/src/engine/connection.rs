//! One connection: quinn's state machine and what the relay keeps beside it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use bytes::Bytes;
use quinn_proto::{ConnectionHandle, StreamId, VarInt};
use rustc_hash::FxHashMap;

use super::{
    datagrams::{DatagramQueue, Route},
    stats::Budget,
    streams::Stream,
};
use crate::{
    ledger::PREFIX_BYTES,
    settings::{QUINN_DATAGRAM_BYTES, Settings},
};

/// A connection whose streams were written to within this time has ACK-clocked data: what it hears is answered at once.
const STREAM_ACTIVITY: Duration = Duration::from_millis(20);
/// ACKs wait for this many packets or `ACK_DELAY`, whichever is first; well under the 25 ms that we advertise as max_ack_delay.
const ACK_PACKETS: u32 = 16;
pub const ACK_DELAY: Duration = Duration::from_millis(4);
/// While a peer may still be in slow start it needs each ACK.
const YOUNG_PACKETS: u64 = 400;

pub enum Phase {
    Handshaking {
        deadline: Instant,
    },
    Established,
    /// Told to JavaScript, which may still read what had arrived; quinn answers the peer for three probe timeouts.
    Ended,
}

/// An address that the peer sends from and has yet to prove.
pub struct Move {
    pub to: SocketAddr,
    pub responses_before: u64,
}

pub struct Connection {
    pub id: u64,
    pub endpoint: usize,
    pub handle: ConnectionHandle,
    pub quic: quinn_proto::Connection,
    pub phase: Phase,
    pub remote: SocketAddr,
    pub local: SocketAddr,
    pub settings: Arc<Settings>,
    pub routes: HashMap<[u8; PREFIX_BYTES], Route>,
    pub queue: DatagramQueue,
    pub streams: FxHashMap<StreamId, Stream>,
    pub budget: Budget,
    pub moving: Option<Move>,
    /// Set for a dialled connection: the certificate was the reason of failure.
    pub rejected: Option<Arc<AtomicBool>>,
    pub close_request: Option<(VarInt, Bytes)>,
    pub last_stream_write: Option<Instant>,
    pub armed: Option<Instant>,
    /// Packets heard since the last flush.
    pub unanswered: u32,
    /// JavaScript has heard of the end, or never knew the connection.
    pub forgotten: bool,
    /// quinn and its endpoint are done with it: `handle` may be another connection's by now.
    pub drained: bool,
    pub dirty: bool,
    pub touched: bool,
    /// In `Core::quiet`.
    pub quiet: bool,
}

impl Connection {
    pub fn is_established(&self) -> bool {
        matches!(self.phase, Phase::Established)
    }

    pub fn deadline(&mut self) -> Option<Instant> {
        let handshake = match self.phase {
            Phase::Handshaking { deadline } => Some(deadline),
            _ => None,
        };
        let expiry = self.queue.next_expiry(self.settings.datagram_queue_age);
        [self.quic.poll_timeout(), handshake, expiry].into_iter().flatten().min()
    }

    /// Whether what was heard needs no answer but an ACK, which may then wait for company.
    pub fn may_wait(&mut self, now: Instant) -> bool {
        self.is_established()
            && self.unanswered < ACK_PACKETS
            && self.budget.packets > YOUNG_PACKETS
            && self.queue.is_empty()
            && self.close_request.is_none()
            && self.last_stream_write.is_none_or(|at| now.duration_since(at) > STREAM_ACTIVITY)
            && self.quinn_datagram_bytes() == 0
    }

    /// What quinn's own datagram buffer holds, its bookkeeping included.
    pub fn quinn_datagram_bytes(&mut self) -> usize {
        const WHOLE: usize = QUINN_DATAGRAM_BYTES - size_of::<quinn_proto::Datagram>();
        WHOLE - self.quic.datagrams().send_buffer_space().min(WHOLE)
    }
}
