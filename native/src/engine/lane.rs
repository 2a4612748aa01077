//! One direction of a splice: what was read from a leg and waits for the other one.

use std::sync::Arc;

use bytes::Bytes;
use quinn_proto::ReadError;

use crate::ledger::Counts;

/// Read from one leg and not yet accepted by the other; conformance S2 allows 256 KiB.
const LANE_BYTES: usize = 128 * 1024;

/// The direction from `ends[i]` to the other end.
pub struct Lane {
    pub pending: Vec<Bytes>,
    pub pending_bytes: usize,
    /// Of the pending bytes those that JavaScript wrote before the splice began: a header, not the leg's payload.
    pub uncounted: usize,
    pub finished: bool,
    pub over: bool,
    pub ledger: Arc<Counts>,
}

impl Lane {
    pub fn new(ledger: Arc<Counts>) -> Self {
        Self { pending: Vec::new(), pending_bytes: 0, uncounted: 0, finished: false, over: false, ledger }
    }

    pub fn accepted(&mut self, bytes: usize, chunks: usize) {
        self.pending.drain(..chunks);
        self.pending_bytes -= bytes;
        let header = bytes.min(self.uncounted);
        self.uncounted -= header;
        self.ledger.stream_bytes((bytes - header) as u64);
    }

    /// Ok when there is something to hand on: bytes, or the end of them.
    pub fn fill(&mut self, chunks: &mut quinn_proto::Chunks<'_>) -> Result<(), ReadError> {
        while self.pending_bytes < LANE_BYTES {
            match chunks.next(LANE_BYTES - self.pending_bytes) {
                Ok(Some(chunk)) => {
                    self.pending_bytes += chunk.bytes.len();
                    self.pending.push(chunk.bytes);
                }
                Ok(None) => {
                    self.finished = true;
                    break;
                }
                Err(ReadError::Blocked) if !self.pending.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
