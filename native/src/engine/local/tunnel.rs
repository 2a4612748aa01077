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
}

pub const LOCAL_COUNTS: usize = 3;

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

    /// In the order of `LocalCounts` in `src/quic/local-sockets.ts`.
    pub fn in_order(&self) -> [u64; LOCAL_COUNTS] {
        [&self.stream_bytes_sent, &self.stream_bytes_received, &self.broken_streams]
            .map(|count| count.load(Ordering::Relaxed))
    }
}
