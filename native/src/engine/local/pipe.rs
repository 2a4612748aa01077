//! A local TCP connection and a data stream: bytes sealed and opened, back-pressure, FIN and half-close, each direction
//! on its own. A TCP connection cannot be reset in one direction, so a reset on either side ends both.

use std::{io::IoSliceMut, sync::Arc, time::Instant};

use bytes::Bytes;
use quinn_proto::{ReadError, StreamId, VarInt, WriteError};

use super::{
    Tunnel,
    opener::{LENGTH_BYTES, Opener},
    pipe_end::{PipeEnd, gone},
    tcp::Io,
    udp::Room,
};
use crate::{
    engine::{Connection, NamedStream, Slot},
    seal::{NONCE_BYTES, Nonces, SEAL_OVERHEAD, TAG_BYTES},
};

/// Plaintext in one sealed chunk, at most (docs/protocol/tunnel.md §4).
const CHUNK_BYTES: usize = 8192;
const PLAIN_AT: usize = LENGTH_BYTES + NONCE_BYTES;
const SEALED_CHUNK_BYTES: usize = PLAIN_AT + CHUNK_BYTES + TAG_BYTES;
/// Read from a local socket at once: what may wait for the peer's flow control, besides what quinn holds.
const CHUNKS_PER_READ: usize = 8;
/// Read from a stream at once.
const READ_BYTES: usize = 64 * 1024;
/// Moved in one direction of one connection before others have their turn.
const TURN_BYTES: usize = 512 * 1024;

/// What all local sockets use in turn.
pub struct Tools {
    pub nonces: Nonces,
    /// Where a local socket is read to: plaintext between room for what sealing adds.
    chunks: Vec<u8>,
    /// A buffer for what comes from a stream.
    sealed: Vec<u8>,
    pub datagram: Room,
}

impl Tools {
    pub fn new() -> Self {
        Self { nonces: Nonces::new(), chunks: Vec::new(), sealed: Vec::new(), datagram: Room::default() }
    }

    /// Made when the first socket needs them: a relay has none.
    fn make_room(&mut self) {
        self.chunks.resize(CHUNKS_PER_READ * SEALED_CHUNK_BYTES, 0);
        self.sealed.reserve(READ_BYTES + SEALED_CHUNK_BYTES);
    }
}

pub struct Pipe {
    pub tunnel: Arc<Tunnel>,
    pub slot: Slot,
    pub connection: u64,
    pub stream: StreamId,
    /// Sealed and not yet taken by quinn.
    pending: Vec<Bytes>,
    /// The local program has ended its direction.
    local_ended: bool,
    /// Our direction of the stream has its end: finished, or stopped by the peer.
    out_over: bool,
    opener: Opener,
    /// The peer's FIN has come.
    finished: bool,
    /// Everything of the peer was handed on, FIN included.
    in_over: bool,
    /// quinn has something to send.
    pub wants_flush: bool,
}

impl Pipe {
    pub fn new(tunnel: Arc<Tunnel>, slot: Slot, end: &NamedStream) -> Self {
        Self {
            tunnel,
            slot,
            connection: end.connection,
            stream: end.stream,
            pending: Vec::new(),
            local_ended: false,
            out_over: false,
            opener: Opener::default(),
            finished: false,
            in_over: false,
            wants_flush: false,
        }
    }

    /// What had already happened to the stream; `written` goes first.
    pub fn begin(&mut self, written: Vec<Bytes>, stopped: bool, finished: bool) {
        self.out_over = stopped;
        if !stopped {
            self.pending = written;
        }
        self.finished = finished;
    }

    /// Moves what can be moved, in both directions. True when there is more to do at once.
    pub fn turn(
        &mut self,
        io: &mut Io,
        connection: &mut Connection,
        tools: &mut Tools,
        now: Instant,
    ) -> Result<bool, PipeEnd> {
        if let Some(error) = io.failure() {
            return Err(gone(&error));
        }
        tools.make_room();
        let more_out = self.send(io, connection, tools, now)?;
        self.opener.borrow(&mut tools.sealed);
        let more_in = self.receive(io, connection);
        self.opener.give_back(&mut tools.sealed);
        let more = more_out | more_in?;
        if self.out_over && self.in_over { Err(PipeEnd::Done) } else { Ok(more) }
    }

    /// From the local program to the stream.
    fn send(
        &mut self,
        io: &mut Io,
        connection: &mut Connection,
        tools: &mut Tools,
        now: Instant,
    ) -> Result<bool, PipeEnd> {
        let mut moved = 0;
        while moved < TURN_BYTES {
            if !self.pending.is_empty() {
                match connection.quic.send_stream(self.stream).write_chunks(&mut self.pending) {
                    Ok(written) => {
                        self.pending.drain(..written.chunks);
                        connection.last_stream_write = Some(now);
                        connection.local_sends += 1;
                        self.wants_flush = true;
                    }
                    Err(WriteError::Blocked) => return Ok(false),
                    Err(WriteError::Stopped(code)) => self.stop_sending(connection, code),
                    Err(WriteError::ClosedStream) => return Err(PipeEnd::Lost),
                }
                continue;
            }
            if self.local_ended {
                if !std::mem::replace(&mut self.out_over, true) {
                    // An error means that the peer has stopped it; an event reports that.
                    let _ = connection.quic.send_stream(self.stream).finish();
                    connection.last_stream_write = Some(now);
                    self.wants_flush = true;
                }
                return Ok(false);
            }
            let room = tools.chunks.chunks_exact_mut(SEALED_CHUNK_BYTES);
            let mut room = room.map(|chunk| IoSliceMut::new(&mut chunk[PLAIN_AT..PLAIN_AT + CHUNK_BYTES]));
            let mut room: [IoSliceMut<'_>; CHUNKS_PER_READ] =
                std::array::from_fn(|_| room.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            match io.read(&mut room).map_err(|error| gone(&error))? {
                None => return Ok(false),
                Some(0) => self.local_ended = true,
                Some(count) => {
                    moved += count;
                    // What the peer has stopped is read on and dropped, so that the local program can end.
                    if !self.out_over {
                        self.tunnel.counts.stream_sent(count);
                        self.pending.push(self.seal(&mut tools.chunks, count, &mut tools.nonces)?);
                    }
                }
            }
        }
        Ok(true)
    }

    /// `count` bytes that lie in `chunks` as `[u32 BE length][sealed]`, in memory of their own.
    fn seal(&self, chunks: &mut [u8], count: usize, nonces: &mut Nonces) -> Result<Bytes, PipeEnd> {
        let (mut left, mut end) = (count, 0);
        for chunk in chunks.chunks_exact_mut(SEALED_CHUNK_BYTES).take(count.div_ceil(CHUNK_BYTES)) {
            let length = left.min(CHUNK_BYTES) + SEAL_OVERHEAD;
            let (prefix, sealed) = chunk.split_at_mut(LENGTH_BYTES);
            prefix.copy_from_slice(&(length as u32).to_be_bytes());
            let nonce = nonces.take();
            nonce
                .and_then(|nonce| self.tunnel.seal.seal(nonce, &mut sealed[..length]))
                .map_err(|_| PipeEnd::LocalGone("the system gives no randomness".into()))?;
            left -= length - SEAL_OVERHEAD;
            end += LENGTH_BYTES + length;
        }
        Ok(Bytes::copy_from_slice(&chunks[..end]))
    }

    /// From the stream to the local program.
    fn receive(&mut self, io: &mut Io, connection: &mut Connection) -> Result<bool, PipeEnd> {
        let mut moved = 0;
        loop {
            if !self.opener.plaintext().is_empty() {
                match io.write(self.opener.plaintext()).map_err(|error| gone(&error))? {
                    Some(count) => {
                        moved += count;
                        self.opener.taken(count);
                    }
                    None => return self.blocked(connection),
                }
                continue;
            }
            if self.finished {
                if !std::mem::replace(&mut self.in_over, true) {
                    if !self.opener.is_at_boundary() {
                        return Err(PipeEnd::Broken);
                    }
                    io.finish().map_err(|error| gone(&error))?;
                }
                return Ok(false);
            }
            if moved >= TURN_BYTES {
                return Ok(true);
            }
            if !self.read(connection)? {
                return Ok(false);
            }
            let opened = self.opener.open(&self.tunnel.seal).map_err(|_| PipeEnd::Broken)?;
            self.tunnel.counts.stream_received(opened);
        }
    }

    /// False: nothing came, not even the end.
    fn read(&mut self, connection: &mut Connection) -> Result<bool, PipeEnd> {
        let mut stream = connection.quic.recv_stream(self.stream);
        let mut chunks = stream.read(true).map_err(|_| PipeEnd::Lost)?;
        let (room, mut got) = (self.opener.room(), 0);
        let outcome = loop {
            if got >= READ_BYTES {
                break Ok(true);
            }
            match chunks.next(READ_BYTES - got) {
                Ok(Some(chunk)) => {
                    got += chunk.bytes.len();
                    room.extend_from_slice(&chunk.bytes);
                }
                Ok(None) => {
                    self.finished = true;
                    break Ok(true);
                }
                Err(ReadError::Blocked) => break Ok(got > 0),
                Err(ReadError::Reset(code)) => break Err(PipeEnd::PeerReset(code)),
            }
        };
        self.wants_flush |= chunks.finalize().should_transmit();
        outcome
    }

    /// The local program takes nothing now. A reset of the peer must not wait behind the bytes.
    fn blocked(&self, connection: &mut Connection) -> Result<bool, PipeEnd> {
        if self.finished {
            return Ok(false);
        }
        match connection.quic.recv_stream(self.stream).received_reset() {
            Ok(Some(code)) => Err(PipeEnd::PeerReset(code)),
            Ok(None) | Err(_) => Ok(false),
        }
    }

    /// The peer takes no more, but may have sent bytes that are not handed on yet. Resets our direction (RFC 9000
    /// §3.5).
    pub fn stop_sending(&mut self, connection: &mut Connection, code: VarInt) {
        self.pending.clear();
        if !std::mem::replace(&mut self.out_over, true) {
            // An error means that the stream is gone already, as wanted.
            let _ = connection.quic.send_stream(self.stream).reset(code);
        }
    }

    /// Resets and stops what is still open of the stream.
    pub fn end_stream(&self, connection: &mut Connection, end: &PipeEnd) {
        let codes = self.tunnel.codes;
        let (reset, stop) = match end {
            PipeEnd::Done | PipeEnd::Lost => return,
            PipeEnd::Aborted(code) => (*code, Some(*code)),
            PipeEnd::PeerReset(code) => (*code, None),
            PipeEnd::LocalGone(_) => (codes.local_reset, Some(codes.local_reset)),
            PipeEnd::Broken => (codes.not_authentic, Some(codes.not_authentic)),
        };
        if !self.out_over {
            connection.reset_half(self.stream, reset);
        }
        if let Some(code) = stop.filter(|_| !self.finished) {
            connection.stop_half(self.stream, code);
        }
    }
}
