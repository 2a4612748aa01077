//! One connection: quinn's state machine and what the relay keeps beside it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use bytes::Bytes;
use quinn_proto::{ConnectionHandle, StreamId, VarInt};
use rustc_hash::FxHashMap;

use super::{
    LocalRoute,
    ack_pace::AckPace,
    datagrams::{DatagramQueue, Route},
    gate::Gate,
    stats::Budget,
    streams::Stream,
};
use crate::{
    ledger::PREFIX_BYTES,
    settings::{QUINN_DATAGRAM_BYTES, Settings},
};

pub enum Phase {
    Handshaking {
        deadline: Instant,
    },
    Established,
    /// JavaScript has the event and may still read what had arrived; quinn responds to the peer for three probe
    /// timeouts.
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
    /// Of an edge: its tunnel's datagrams go to a local socket.
    pub local_route: Option<LocalRoute>,
    pub queue: DatagramQueue,
    /// When a datagram that did not fit last had a larger path MTU looked for.
    pub mtu_searched: Option<Instant>,
    pub streams: FxHashMap<StreamId, Stream>,
    /// Streams that JavaScript wrote to since the last flush.
    pub written: Vec<StreamId>,
    pub budget: Budget,
    pub moving: Option<Move>,
    /// Set for a dialled connection: the certificate was the reason of failure.
    pub rejected: Option<Arc<AtomicBool>>,
    pub close_request: Option<(VarInt, Bytes)>,
    pub last_stream_write: Option<Instant>,
    /// What the engine itself sent for local sockets, in calls to quinn; only grows.
    pub local_sends: u64,
    pub armed: Option<Instant>,
    pub acks: AckPace,
    pub gate: Gate,
    /// JavaScript has handled the end, or never had the connection.
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

    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    pub fn deadline(&mut self) -> Option<Instant> {
        let handshake = match self.phase {
            Phase::Handshaking { deadline } => Some(deadline),
            _ => None,
        };
        let expiry = self.queue.next_expiry(self.queue_age());
        let paced = self.gate.next_due().filter(|_| !self.queue.is_empty());
        [self.quic.poll_timeout(), handshake, expiry, paced].into_iter().flatten().min()
    }

    /// What quinn's own datagram buffer holds, its bookkeeping included.
    pub fn quinn_datagram_bytes(&mut self) -> usize {
        const WHOLE: usize = QUINN_DATAGRAM_BYTES - size_of::<quinn_proto::Datagram>();
        WHOLE - self.quic.datagrams().send_buffer_space().min(WHOLE)
    }
}
