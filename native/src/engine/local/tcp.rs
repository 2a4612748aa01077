//! A TCP connection with a local program: accepted or dialled, then joined with a data stream.

use std::{
    io::{self, IoSliceMut, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use quinn_proto::VarInt;
use rustix::{io::Errno, net::sockopt};
use socket2::{Domain, Protocol, SockRef, Type};

use super::{Local, Tunnel, pipe::Pipe, pipe_end::PipeEnd};
use crate::engine::{
    Core, NamedStream,
    streams::{Mover, ReceiveState},
};

/// So that a local program that vanished without a word does not hold a stream for ever.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEP_ALIVE_PROBES: u32 = 10;

/// A socket that does not block, and its last known readiness.
pub struct Io {
    stream: TcpStream,
    pub readable: bool,
    pub writable: bool,
    pub failed: bool,
}

impl Io {
    /// The error of a socket that the poller reported as failed.
    pub fn failure(&mut self) -> Option<io::Error> {
        if std::mem::take(&mut self.failed) { self.stream.take_error().ok().flatten() } else { None }
    }

    /// None: it would block; the poller reports when it no longer does.
    pub fn read(&mut self, room: &mut [IoSliceMut<'_>]) -> io::Result<Option<usize>> {
        would_block(&mut self.readable, || (&self.stream).read_vectored(room))
    }

    /// As `read`.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        would_block(&mut self.writable, || (&self.stream).write(bytes))
    }

    /// FIN after what was written.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// RST in place of FIN when it closes.
    fn reset_at_close(&self) {
        // Fails for a socket that is closed already.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

fn would_block(ready: &mut bool, mut work: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        if !*ready {
            return Ok(None);
        }
        match work() {
            Ok(count) => return Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => *ready = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

enum Role {
    /// `local_connected` or `local_failed` follows.
    Connecting,
    /// JavaScript decides what becomes of it; from a listener where one accepted it.
    Undecided(Option<u64>),
    /// `local_ended` follows.
    Joined(Box<Pipe>),
}

pub struct Tcp {
    pub io: Io,
    pub queued: bool,
    role: Role,
}

impl Tcp {
    pub fn accepted(stream: TcpStream, listener: u64) -> Self {
        let io = Io { stream, readable: true, writable: true, failed: false };
        Self { io, queued: false, role: Role::Undecided(Some(listener)) }
    }

    fn connecting(stream: TcpStream) -> Self {
        let io = Io { stream, readable: false, writable: false, failed: false };
        Self { io, queued: false, role: Role::Connecting }
    }
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEP_ALIVE_AFTER)?;
    sockopt::set_tcp_keepintvl(stream, KEEP_ALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(stream, KEEP_ALIVE_PROBES)?;
    Ok(())
}

fn begin_connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(socket.into()),
    }
}

impl Core {
    /// `local_connected` or `local_failed` follows, also where the system refuses at once.
    pub fn connect_local(&mut self, address: SocketAddr) -> u64 {
        let id = self.new_id();
        let begun = begin_connect(address).map_err(|error| error.to_string());
        match begun.and_then(|stream| self.locals.watch(id, &stream).map(|()| stream)) {
            Ok(stream) => {
                self.locals.sockets.insert(id, Local::Tcp(Tcp::connecting(stream)));
            }
            Err(error) => self.events.local_failed(id, &error),
        }
        id
    }

    /// Joins an undecided socket with a stream, of which JavaScript keeps nothing; what it wrote goes first.
    /// `local_ended` follows.
    pub fn join_local(&mut self, id: u64, end: &NamedStream, tunnel: Arc<Tunnel>) {
        let Some(Local::Tcp(tcp)) = self.locals.sockets.get_mut(&id) else {
            return self.events.local_ended(id, "the local connection is gone");
        };
        let Role::Undecided(listener) = tcp.role else { return };
        // A socket that ended meanwhile refuses options; reading it shows the end.
        let _ = set_options(&tcp.io.stream);
        let slot = self.slots.get(&end.connection).copied();
        let mut pipe = Box::new(Pipe::new(tunnel, slot.unwrap_or(usize::MAX), end));
        let mut reset = None;
        let connection = slot.and_then(|slot| self.connections.get_mut(slot));
        if let Some(stream) = connection.and_then(|connection| connection.streams.get_mut(&end.stream)) {
            stream.mover = Some(Mover::Local(id));
            pipe.begin(stream.take_out(), stream.stopped.is_some(), stream.receive != ReceiveState::Open);
            if let ReceiveState::Reset(code) = stream.receive {
                reset = Some(code);
            }
        }
        tcp.role = Role::Joined(pipe);
        self.decided(listener);
        // A dialled socket is watched from the start.
        let watched = match self.locals.sockets.get(&id) {
            Some(Local::Tcp(tcp)) if listener.is_some() => self.locals.watch(id, &tcp.io.stream),
            _ => Ok(()),
        };
        match (watched, reset) {
            (Err(error), _) => self.end_pipe(id, PipeEnd::LocalGone(error)),
            (Ok(()), Some(code)) => self.end_pipe(id, PipeEnd::PeerReset(code)),
            (Ok(()), None) => self.locals.wake(id),
        }
    }

    /// RST to the local program. A joined stream is reset and stopped with `code`, and `local_ended` follows.
    pub fn abort_local(&mut self, id: u64, code: VarInt) {
        let Some(Local::Tcp(tcp)) = self.locals.sockets.get(&id) else { return };
        match tcp.role {
            Role::Joined(_) => self.end_pipe(id, PipeEnd::Aborted(code)),
            Role::Undecided(listener) => {
                tcp.io.reset_at_close();
                self.locals.sockets.remove(&id);
                self.decided(listener);
            }
            Role::Connecting => drop(self.locals.sockets.remove(&id)),
        }
    }

    pub fn turn_tcp(&mut self, id: u64, now: Instant) {
        let Some(Local::Tcp(tcp)) = self.locals.sockets.get_mut(&id) else { return };
        match &mut tcp.role {
            Role::Connecting => self.connected_local(id),
            Role::Undecided(_) => {}
            Role::Joined(pipe) => {
                let connection = self.connections.get_mut(pipe.slot);
                let Some(connection) = connection.filter(|c| c.id == pipe.connection && c.is_established()) else {
                    return self.end_pipe(id, PipeEnd::Lost);
                };
                let outcome = pipe.turn(&mut tcp.io, connection, &mut self.locals.tools, now);
                let slot = pipe.slot;
                if std::mem::take(&mut pipe.wants_flush) {
                    self.mark_dirty(slot);
                }
                match outcome {
                    Ok(true) => self.locals.wake(id),
                    Ok(false) => {}
                    Err(end) => self.end_pipe(id, end),
                }
            }
        }
    }

    fn connected_local(&mut self, id: u64) {
        let Some(Local::Tcp(tcp)) = self.locals.sockets.get_mut(&id) else { return };
        let failure = match tcp.io.stream.take_error() {
            Ok(None) if tcp.io.writable => None,
            // Word of something else; the connection is still on its way.
            Ok(None) => return,
            Ok(Some(error)) | Err(error) => Some(error),
        };
        match failure {
            None => {
                tcp.role = Role::Undecided(None);
                tcp.io.readable = true;
                self.events.local_connected(id);
            }
            Some(error) => {
                self.locals.sockets.remove(&id);
                self.events.local_failed(id, &error.to_string());
            }
        }
    }

    /// The peer takes no more of a joined stream.
    pub fn local_stopped(&mut self, id: u64, code: VarInt) {
        if let Some(Local::Tcp(Tcp { role: Role::Joined(pipe), .. })) = self.locals.sockets.get_mut(&id)
            && let Some(connection) = self.connections.get_mut(pipe.slot)
        {
            pipe.stop_sending(connection, code);
            let slot = pipe.slot;
            self.mark_dirty(slot);
            self.locals.wake(id);
        }
    }

    /// The connection of a joined stream is gone.
    pub fn local_lost(&mut self, id: u64) {
        self.end_pipe(id, PipeEnd::Lost);
    }

    fn end_pipe(&mut self, id: u64, end: PipeEnd) {
        let Some(Local::Tcp(Tcp { io, role: Role::Joined(pipe), .. })) = self.locals.sockets.remove(&id) else {
            return;
        };
        if !matches!(end, PipeEnd::Done) {
            io.reset_at_close();
        }
        if matches!(end, PipeEnd::Broken) {
            pipe.tunnel.counts.stream_broken();
        }
        if let Some(connection) = self.connections.get_mut(pipe.slot).filter(|c| c.id == pipe.connection) {
            pipe.end_stream(connection, &end);
            connection.streams.remove(&pipe.stream);
            self.mark_dirty(pipe.slot);
        }
        self.events.local_ended(id, &end.reason());
    }
}
