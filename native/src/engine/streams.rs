//! Streams that JavaScript reads and writes itself: control streams, stream headers, an edge's data.

use std::{collections::VecDeque, time::Instant};

use bytes::{Bytes, BytesMut};
use quinn_proto::{Dir, ReadError, Side, StreamEvent, StreamId, VarInt, WriteError};

use super::{Connection, Core, Pump, Slot, splice::End};

/// A writer is asked to pause above this and resumes below half of it.
const WRITE_PAUSE_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendState {
    Open,
    /// JavaScript said FIN; it goes out after what waits.
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

pub struct Stream {
    pub send: SendState,
    pub receive: ReceiveState,
    /// The peer's STOP_SENDING, kept for a splice that begins after it.
    pub stopped: Option<VarInt>,
    pub out: VecDeque<Bytes>,
    pub out_bytes: usize,
    /// Tell JavaScript when there is something to read.
    pub wants_readable: bool,
    pub wants_writable: bool,
    /// The splice that moves this stream's bytes, and which end of it this is.
    pub splice: Option<(u64, usize)>,
}

impl Stream {
    /// For a stream of the peer `accept_streams` tells at once; for ours what comes first is news.
    fn new(id: StreamId, side: Side) -> Self {
        let ours = id.initiator() == side;
        let one_way = id.dir() == Dir::Uni;
        Self {
            send: if one_way && !ours { SendState::Over } else { SendState::Open },
            receive: if one_way && ours { ReceiveState::Over } else { ReceiveState::Open },
            stopped: None,
            out: VecDeque::new(),
            out_bytes: 0,
            wants_readable: ours,
            wants_writable: false,
            splice: None,
        }
    }

    fn discard(&mut self) {
        self.out = VecDeque::new();
        self.out_bytes = 0;
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

    /// False: pause until `writable` is heard.
    pub fn write(&mut self, id: StreamId, bytes: Bytes, now: Instant) -> bool {
        let Some(stream) = self.streams.get_mut(&id) else { return true };
        if stream.send != SendState::Open {
            return true;
        }
        stream.out_bytes += bytes.len();
        stream.out.push_back(bytes);
        self.push_out(id, now);
        let Some(stream) = self.streams.get_mut(&id) else { return true };
        stream.wants_writable |= stream.out_bytes > WRITE_PAUSE_BYTES;
        !stream.wants_writable
    }

    pub fn queued_bytes(&self, id: StreamId) -> usize {
        self.streams.get(&id).map_or(0, |stream| stream.out_bytes)
    }

    pub fn finish(&mut self, id: StreamId, now: Instant) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.send == SendState::Open {
            stream.send = SendState::Finishing;
            self.push_out(id, now);
        }
    }

    pub fn reset(&mut self, id: StreamId, code: VarInt) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.send == SendState::Over {
            return;
        }
        stream.send = SendState::Over;
        stream.discard();
        // An error says that the stream is gone, which is what was asked for.
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

    /// RESET of a spliced stream's own direction. quinn's error would say that this half is over, which is what is wanted.
    pub fn reset_half(&mut self, id: StreamId, code: VarInt) {
        if self.streams.get(&id).is_some_and(|stream| stream.send != SendState::Over) {
            let _ = self.quic.send_stream(id).reset(code);
        }
    }

    /// STOP_SENDING for the peer's direction of a spliced stream.
    pub fn stop_half(&mut self, id: StreamId, code: VarInt) {
        if self.streams.get(&id).is_some_and(|stream| stream.receive == ReceiveState::Open) {
            let _ = self.quic.recv_stream(id).stop(code);
        }
    }

    /// Hands what JavaScript wrote to quinn, as far as flow control allows; FIN when it was last.
    fn push_out(&mut self, id: StreamId, now: Instant) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let mut quic = self.quic.send_stream(id);
        while !stream.out.is_empty() {
            match quic.write_chunks(stream.out.make_contiguous()) {
                Ok(written) => {
                    self.last_stream_write = Some(now);
                    stream.out_bytes -= written.bytes;
                    stream.out.drain(..written.chunks);
                }
                Err(WriteError::Blocked) => return,
                // Its event follows or came before; what waits will never be wanted.
                Err(WriteError::Stopped(_) | WriteError::ClosedStream) => stream.discard(),
            }
        }
        if stream.send == SendState::Finishing {
            let _ = quic.finish();
            stream.send = SendState::Over;
            self.last_stream_write = Some(now);
            self.forget_if_over(id);
        }
    }

    fn forget_if_over(&mut self, id: StreamId) {
        let over = self.streams.get(&id).is_some_and(|stream| {
            stream.splice.is_none() && stream.send == SendState::Over && stream.receive == ReceiveState::Over
        });
        if over {
            self.streams.remove(&id);
        }
    }
}

impl Core {
    pub fn stream_event(&mut self, slot: Slot, event: StreamEvent, now: Instant) {
        match event {
            StreamEvent::Opened { dir } => self.accept_streams(slot, dir),
            StreamEvent::Readable { id } => self.stream_readable(slot, id),
            StreamEvent::Writable { id } => self.stream_writable(slot, id, now),
            StreamEvent::Stopped { id, error_code } => self.stream_stopped(slot, id, error_code),
            StreamEvent::Finished { .. } | StreamEvent::Available { .. } => {}
        }
    }

    fn accept_streams(&mut self, slot: Slot, dir: Dir) {
        let connection = &mut self.connections[slot];
        let side = connection.quic.side();
        while let Some(id) = connection.quic.streams().accept(dir) {
            connection.streams.insert(id, Stream::new(id, side));
            if id.index() == 1 {
                let granted = connection.settings.max_streams(dir);
                connection.quic.set_max_concurrent_streams(dir, granted);
            }
            // A new stream has something to read: quinn says no `Readable` for what opened it.
            self.events.stream_opened(connection.id, id);
            self.events.readable(connection.id, id);
        }
    }

    fn stream_readable(&mut self, slot: Slot, id: StreamId) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        if let Some((splice, end)) = stream.splice {
            self.pumps.push_back(Pump { splice, lane: end });
        } else if stream.wants_readable {
            stream.wants_readable = false;
            self.events.readable(connection.id, id);
        }
    }

    fn stream_writable(&mut self, slot: Slot, id: StreamId, now: Instant) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        if let Some((splice, end)) = stream.splice {
            self.pumps.push_back(Pump { splice, lane: End::other(end) });
            return;
        }
        connection.push_out(id, now);
        if let Some(stream) = connection.streams.get_mut(&id)
            && stream.wants_writable
            && stream.out_bytes <= WRITE_PAUSE_BYTES / 2
        {
            stream.wants_writable = false;
            self.events.writable(connection.id, id);
        }
        self.mark_dirty(slot);
    }

    /// STOP_SENDING is answered with RESET here (RFC 9000 §3.5): quinn leaves that to its user.
    fn stream_stopped(&mut self, slot: Slot, id: StreamId, code: VarInt) {
        let connection = &mut self.connections[slot];
        let Some(stream) = connection.streams.get_mut(&id) else { return };
        if let Some((splice, end)) = stream.splice {
            self.splice_stopped(splice, End::other(end), code);
            return;
        }
        stream.stopped = Some(code);
        if stream.send != SendState::Over {
            stream.send = SendState::Over;
            stream.discard();
            let _ = connection.quic.send_stream(id).reset(code);
            // Kept while it can still be read: a splice that begins before JavaScript hears of this must know.
            self.events.stopped(connection.id, id, code);
            connection.forget_if_over(id);
        }
        self.mark_dirty(slot);
    }
}
