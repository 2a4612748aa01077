//! What all local sockets of one tunnel share: its key, its id and its counts.

use std::sync::atomic::{AtomicU64, Ordering};

use quinn_proto::VarInt;

use crate::{ledger::add, seal::Seal};

/// With which codes a data stream ends for reasons of this end (docs/protocol/tunnel.md §3).
#[derive(Clone, Copy)]
pub struct StreamCodes {
    /// The local connection was reset or ended in an error.
    pub local_reset: VarInt,
    /// What arrived was changed, cut off, or sealed with another key.
    pub not_authentic: VarInt,
}

pub struct Tunnel {
    pub seal: Seal,
    pub codes: StreamCodes,
    pub counts: LocalCounts,
}

/// Counts of one tunnel, in bytes of local payload; written under the engine's lock, read by JavaScript without it.
#[derive(Default)]
pub struct LocalCounts {
    stream_bytes_sent: AtomicU64,
    stream_bytes_received: AtomicU64,
    /// Streams that the key did not open, or that ended inside a chunk.
    broken_streams: AtomicU64,
    /// Datagrams of local programs, and why some were not given to a connection.
    offered: AtomicU64,
    no_relay: AtomicU64,
    expired_out: AtomicU64,
    /// Datagrams of relays, what was given to the local socket, and why the others were not.
    arrived: AtomicU64,
    delivered: AtomicU64,
    delivered_bytes: AtomicU64,
    expired_in: AtomicU64,
    not_authentic: AtomicU64,
    no_socket: AtomicU64,
    no_local_peer: AtomicU64,
    /// The local UDP socket did not take or give a datagram.
    send_errors: AtomicU64,
    /// Datagrams of a program that had sent before the last sender did: answers go to the last sender alone.
    sender_returns: AtomicU64,
}

pub const LOCAL_COUNTS: usize = 15;

impl LocalCounts {
    pub fn stream_sent(&self, bytes: usize) {
        add(&self.stream_bytes_sent, bytes as u64);
    }

    pub fn stream_received(&self, bytes: usize) {
        add(&self.stream_bytes_received, bytes as u64);
    }

    pub fn stream_broken(&self) {
        add(&self.broken_streams, 1);
    }

    pub fn offered(&self) {
        add(&self.offered, 1);
    }

    pub fn no_relay(&self) {
        add(&self.no_relay, 1);
    }

    pub fn expired_on_the_way_out(&self) {
        add(&self.expired_out, 1);
    }

    pub fn arrived(&self) {
        add(&self.arrived, 1);
    }

    pub fn delivered(&self, bytes: usize) {
        add(&self.delivered, 1);
        add(&self.delivered_bytes, bytes as u64);
    }

    pub fn expired_on_the_way_in(&self) {
        add(&self.expired_in, 1);
    }

    pub fn not_authentic(&self) {
        add(&self.not_authentic, 1);
    }

    pub fn no_socket(&self) {
        add(&self.no_socket, 1);
    }

    pub fn no_local_peer(&self) {
        add(&self.no_local_peer, 1);
    }

    pub fn send_error(&self) {
        add(&self.send_errors, 1);
    }

    pub fn sender_returned(&self) {
        add(&self.sender_returns, 1);
    }

    /// In the order of `localCountNames` in `src/quic/local-sockets.ts`.
    pub fn in_order(&self) -> [u64; LOCAL_COUNTS] {
        [
            &self.stream_bytes_sent,
            &self.stream_bytes_received,
            &self.broken_streams,
            &self.offered,
            &self.no_relay,
            &self.expired_out,
            &self.arrived,
            &self.delivered,
            &self.delivered_bytes,
            &self.expired_in,
            &self.not_authentic,
            &self.no_socket,
            &self.no_local_peer,
            &self.send_errors,
            &self.sender_returns,
        ]
        .map(|count| count.load(Ordering::Relaxed))
    }
}
