//! What one leg of a tunnel has sent; written by the engine's thread, read by JavaScript without the lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// In the order of `dropReasons` in `src/quic/types.ts`, which crosses the boundary as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    NoPeer,
    TooLarge,
    QueueFull,
    Expired,
    WrongProtocol,
    Closing,
    Congestion,
}

pub const DROP_REASONS: [DropReason; 7] = [
    DropReason::NoPeer,
    DropReason::TooLarge,
    DropReason::QueueFull,
    DropReason::Expired,
    DropReason::WrongProtocol,
    DropReason::Closing,
    DropReason::Congestion,
];

/// A tunnel id in front of each datagram; not counted as payload.
pub const PREFIX_BYTES: usize = 16;

#[derive(Debug, Default)]
pub struct Counts {
    datagrams_in: AtomicU64,
    datagrams_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    stream_bytes: AtomicU64,
    drops: [AtomicU64; DROP_REASONS.len()],
}

/// Only the engine's lock holder writes, so a plain load and store loses nothing and costs no locked instruction.
pub fn add(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

impl Counts {
    pub fn datagram_in(&self, len: usize) {
        add(&self.datagrams_in, 1);
        add(&self.bytes_in, len.saturating_sub(PREFIX_BYTES) as u64);
    }

    pub fn datagram_out(&self, len: usize) {
        add(&self.datagrams_out, 1);
        add(&self.bytes_out, len.saturating_sub(PREFIX_BYTES) as u64);
    }

    pub fn dropped(&self, reason: DropReason) {
        add(&self.drops[reason as usize], 1);
    }

    pub fn stream_bytes(&self, n: u64) {
        add(&self.stream_bytes, n);
    }

    pub fn all_drops(&self) -> u64 {
        self.drops.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    pub fn all_bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed).wrapping_add(self.stream_bytes.load(Ordering::Relaxed))
    }

    /// Order: datagrams in, out, bytes in, out, stream bytes, drops in the order of the reasons.
    pub fn totals(&self) -> [u64; 5 + DROP_REASONS.len()] {
        let mut out = [0; 5 + DROP_REASONS.len()];
        let head = [&self.datagrams_in, &self.datagrams_out, &self.bytes_in, &self.bytes_out, &self.stream_bytes];
        for (slot, counter) in out.iter_mut().zip(head.into_iter().chain(&self.drops)) {
            *slot = counter.load(Ordering::Relaxed);
        }
        out
    }
}
