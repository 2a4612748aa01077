//! Streams that JavaScript reads and writes itself: control streams, stream headers, an edge's data.

use std::{collections::VecDeque, time::Instant};

use bytes::{Bytes, BytesMut};
use quinn_proto::{Dir, ReadError, Side, StreamId, VarInt, WriteError};

use super::Connection;

/// A writer should pause above this and may resume below half of it.
const WRITE_PAUSE_BYTES: usize = 64 * 1024;
/// Writes below this are copied together.
const GATHER_BYTES: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendState {
    Open,
    /// JavaScript finished the stream; FIN goes out after what waits.
    Finishing,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveState {
    Open,
    Finished,
    Reset(VarInt),
    Over,
}

/// What moves a stream's bytes in place of JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mover {
    /// `end` is the end of the splice that the stream is.
    Splice { id: u64, end: usize },
    /// A local socket.
    Local(u64),
}

pub struct Stream {
    pub send: SendState,
    pub receive: ReceiveState,
    /// The peer's STOP_SENDING, kept for a splice that begins after it.
    pub stopped: Option<VarInt>,
    /// What waits for quinn. Small writes gather in `tail`: quinn would keep, and search, every one of them as a piece
    /// of its own.
    out: VecDeque<Bytes>,
    tail: BytesMut,
    pub out_bytes: usize,
    /// JavaScript wants an event when there is something to read.
    pub wants_readable: bool,
    pub wants_writable: bool,
    pub mover: Option<Mover>,
}

impl Stream {
    /// `accept_streams` adds the first event for a stream of the peer; a stream of ours needs it with its first bytes.
    pub fn new(id: StreamId, side: Side) -> Self {
        let ours = id.initiator() == side;
        let one_way = id.dir() == Dir::Uni;
        Self {
            send: if one_way && !ours { SendState::Over } else { SendState::Open },
            receive: if one_way && ours { ReceiveState::Over } else { ReceiveState::Open },
            stopped: None,
            out: VecDeque::new(),
            tail: BytesMut::new(),
            out_bytes: 0,
            wants_readable: ours,
            wants_writable: false,
            mover: None,
        }
    }

    pub fn is_of_splice(&self, splice: u64) -> bool {
        matches!(self.mover, Some(Mover::Splice { id, .. }) if id == splice)
    }

    pub fn discard(&mut self) {
        self.take_out();
    }

    fn seal(&mut self) {
        if !self.tail.is_empty() {
            self.out.push_back(std::mem::take(&mut self.tail).freeze());
        }
    }

    /// Everything that waits; a splice sends it first.
    pub fn take_out(&mut self) -> Vec<Bytes> {
        self.seal();
        self.out_bytes = 0;
        std::mem::take(&mut self.out).into()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    Data(Bytes),
    Blocked,
    Finished,
    Reset(VarInt),
}

impl Connection {
    pub fn open_stream(&mut self, dir: Dir) -> Option<StreamId> {
        let id = self.quic.streams().open(dir)?;
        let side = self.quic.side();
        self.streams.insert(id, Stream::new(id, side));
        Some(id)
    }

    pub fn read(&mut self, id: StreamId, max: usize) -> ReadOutcome {
        let Some(stream) = self.streams.get_mut(&id) else { return ReadOutcome::Reset(VarInt::from_u32(0)) };
        let mut data = BytesMut::new();
        if stream.receive == ReceiveState::Open && max > 0 {
            match self.quic.recv_stream(id).read(true) {
                Ok(mut chunks) => {
                    while data.len() < max {
                        match chunks.next(max - data.len()) {
                            Ok(Some(chunk)) => data.extend_from_slice(&chunk.bytes),
                            Ok(None) => stream.receive = ReceiveState::Finished,
                            Err(ReadError::Reset(code)) => stream.receive = ReceiveState::Reset(code),
                            Err(ReadError::Blocked) => break,
                        }
                        if stream.receive != ReceiveState::Open {
                            break;
                        }
                    }
                    let _ = chunks.finalize();
                }
                Err(_) => stream.receive = ReceiveState::Finished,
            }
        }
        if !data.is_empty() {
            // Less than requested is all that there is: an event follows for more data, or for the end.
            stream.wants_readable |= data.len() < max;
            return ReadOutcome::Data(data.freeze());
        }
        let outcome = match stream.receive {
            ReceiveState::Open => {
                stream.wants_readable = true;
                return ReadOutcome::Blocked;
            }
            ReceiveState::Finished | ReceiveState::Over => ReadOutcome::Finished,
            ReceiveState::Reset(code) => ReadOutcome::Reset(code),
        };
        stream.receive = ReceiveState::Over;
        self.forget_if_over(id);
        outcome
    }

    /// False: pause until the `writable` event. What is written leaves in the next flush.
    pub fn write(&mut self, id: StreamId, bytes: &[u8]) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else { return true };
        if stream.send != SendState::Open {
            return true;
        }
        stream.out_bytes += bytes.len();
        if bytes.len() < GATHER_BYTES {
            stream.tail.extend_from_slice(bytes);
        } else {
            stream.seal();
            stream.out.push_back(Bytes::copy_from_slice(bytes));
        }
        stream.wants_writable |= stream.out_bytes > WRITE_PAUSE_BYTES;
        let goes_on = !stream.wants_writable;
        self.has_output(id);
        goes_on
    }

    fn has_output(&mut self, id: StreamId) {
        if self.written.last() != Some(&id) {
            self.written.push(id);
        }
    }

    pub fn queued_bytes(&self, id: StreamId) -> usize {
        self.streams.get(&id).map_or(0, |stream| stream.out_bytes)
    }

    pub fn finish(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.send == SendState::Open {
            stream.send = SendState::Finishing;
            self.has_output(id);
        }
    }

    pub fn reset(&mut self, id: StreamId, code: VarInt) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.send == SendState::Over {
            return;
        }
        stream.send = SendState::Over;
        stream.discard();
        // An error means that the stream is gone already, as wanted.
        let _ = self.quic.send_stream(id).reset(code);
        self.forget_if_over(id);
    }

    pub fn stop(&mut self, id: StreamId, code: VarInt) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.receive == ReceiveState::Over {
            return;
        }
        if stream.receive == ReceiveState::Open {
            let _ = self.quic.recv_stream(id).stop(code);
        }
        stream.receive = ReceiveState::Over;
        self.forget_if_over(id);
    }

    /// RESET of our direction of a stream that has a mover. quinn's error would mean that this half is over, as wanted.
    pub fn reset_half(&mut self, id: StreamId, code: VarInt) {
        if self.streams.get(&id).is_some_and(|stream| stream.send != SendState::Over) {
            let _ = self.quic.send_stream(id).reset(code);
        }
    }

    /// STOP_SENDING for the peer's direction of such a stream.
    pub fn stop_half(&mut self, id: StreamId, code: VarInt) {
        if self.streams.get(&id).is_some_and(|stream| stream.receive == ReceiveState::Open) {
            let _ = self.quic.recv_stream(id).stop(code);
        }
    }

    /// Hands what JavaScript wrote to quinn, as far as flow control allows; FIN when it was last. True when a paused
    /// writer may go on.
    pub fn push_out(&mut self, id: StreamId, now: Instant) -> bool {
        let Some(stream) = self.streams.get_mut(&id).filter(|s| s.mover.is_none() && s.send != SendState::Over) else {
            return false;
        };
        stream.seal();
        let mut quic = self.quic.send_stream(id);
        while !stream.out.is_empty() {
            match quic.write_chunks(stream.out.make_contiguous()) {
                Ok(written) => {
                    self.last_stream_write = Some(now);
                    stream.out_bytes -= written.bytes;
                    stream.out.drain(..written.chunks);
                }
                Err(WriteError::Blocked) => break,
                // Its event follows or came before; what waits will never be wanted.
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => stream.discard(),
            }
        }
        if stream.send == SendState::Finishing && stream.out.is_empty() {
            let _ = quic.finish();
            stream.send = SendState::Over;
            self.last_stream_write = Some(now);
            self.forget_if_over(id);
            return false;
        }
        let resumes = stream.wants_writable && stream.out_bytes <= WRITE_PAUSE_BYTES / 2;
        stream.wants_writable &= !resumes;
        resumes
    }

    pub fn forget_if_over(&mut self, id: StreamId) {
        let over = self.streams.get(&id).is_some_and(|stream| {
            stream.mover.is_none() && stream.send == SendState::Over && stream.receive == ReceiveState::Over
        });
        if over {
            self.streams.remove(&id);
        }
    }
}
