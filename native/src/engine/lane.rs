//! One direction of a splice: what was read from a leg and waits for the other one.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use quinn_proto::ReadError;

use crate::ledger::Counts;

/// Read from one leg and not yet accepted by the other; conformance S2 allows 256 KiB.
const LANE_BYTES: usize = 128 * 1024;

/// Shorter pieces are copied together: each would keep all of the packet that it came in, and quinn searches every
/// piece that is not acknowledged, one by one. What a full packet brings is longer and is not copied.
const GATHER_BYTES: usize = 1024;

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
        let mut short = BytesMut::new();
        let outcome = loop {
            if self.pending_bytes >= LANE_BYTES {
                break Ok(());
            }
            match chunks.next(LANE_BYTES - self.pending_bytes) {
                Ok(Some(chunk)) => self.take(chunk.bytes, &mut short),
                Ok(None) => {
                    self.finished = true;
                    break Ok(());
                }
                Err(ReadError::Blocked) if self.pending_bytes > 0 => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.seal(&mut short);
        outcome
    }

    fn take(&mut self, bytes: Bytes, short: &mut BytesMut) {
        self.pending_bytes += bytes.len();
        if bytes.len() < GATHER_BYTES {
            short.extend_from_slice(&bytes);
        } else {
            self.seal(short);
            self.pending.push(bytes);
        }
    }

    fn seal(&mut self, short: &mut BytesMut) {
        if !short.is_empty() {
            self.pending.push(std::mem::take(short).freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_pieces_are_copied_together_and_long_ones_are_not() {
        let mut lane = Lane::new(Arc::default());
        let mut short = BytesMut::new();
        let long = Bytes::from(vec![7; GATHER_BYTES]);
        for _ in 0..2 {
            for byte in 0..100 {
                lane.take(Bytes::from(vec![byte]), &mut short);
            }
            lane.take(long.clone(), &mut short);
        }
        lane.seal(&mut short);
        let expected: Vec<u8> = (0..100).collect();
        assert_eq!(lane.pending, [expected.clone().into(), long.clone(), expected.into(), long.clone()]);
        assert_eq!(lane.pending[1].as_ptr(), long.as_ptr());
        assert_eq!(lane.pending_bytes, 2 * (100 + GATHER_BYTES));
    }
}
