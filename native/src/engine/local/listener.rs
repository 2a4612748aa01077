//! Where local programs connect to.

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
};

use rustix::io::Errno;
use socket2::{Domain, Protocol, Type};

use super::{Local, Tcp};
use crate::engine::Core;

const BACKLOG: i32 = 511;
/// A burst of connections must not keep packets waiting.
const ACCEPTS_PER_TURN: usize = 64;
/// Accepted and not yet decided upon by JavaScript; the kernel's backlog keeps more.
const MAX_UNDECIDED: usize = 1024;

pub struct Listener {
    socket: TcpListener,
    pub readable: bool,
    pub queued: bool,
    undecided: usize,
    /// Closed for a moment when no file descriptor is left. That makes room to accept a waiting program and refuse it,
    /// so that it does not wait for ever.
    reserve: Option<File>,
}

impl Listener {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // Connections of a run before, in their last minute, must not keep the address from us.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self { socket: socket.into(), readable: true, queued: false, undecided: 0, reserve: spare_descriptor() })
    }

    fn accept(&mut self) -> io::Result<TcpStream> {
        let (stream, _) = self.socket.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    /// Out of file descriptors: takes one connection with the spare one and drops it. False when that fails, too.
    fn turn_away(&mut self) -> bool {
        self.reserve = None;
        let taken = self.socket.accept().is_ok();
        self.reserve = spare_descriptor();
        taken
    }
}

fn spare_descriptor() -> Option<File> {
    File::open("/dev/null").ok()
}

impl Core {
    /// The listener's id and the port taken. `local_accepted` follows for each connection, to be joined or reset.
    pub fn listen_local(&mut self, address: SocketAddr) -> Result<(u64, u16), String> {
        let listener = Listener::open(address).map_err(|error| error.to_string())?;
        let port = listener.socket.local_addr().map_err(|error| error.to_string())?.port();
        let id = self.new_id();
        self.locals.watch(id, &listener.socket)?;
        self.locals.sockets.insert(id, Local::Listener(listener));
        Ok((id, port))
    }

    pub fn accept_local(&mut self, id: u64) {
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(Local::Listener(listener)) = self.locals.sockets.get_mut(&id) else { return };
            if !listener.readable || listener.undecided >= MAX_UNDECIDED {
                return;
            }
            match listener.accept() {
                Ok(stream) => {
                    listener.undecided += 1;
                    let socket = self.new_id();
                    self.locals.sockets.insert(socket, Local::Tcp(Tcp::accepted(stream, id)));
                    self.events.local_accepted(id, socket);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    listener.readable = false;
                    return;
                }
                // One that gave up while it waited.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    let full = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
                    let goes_on = error.raw_os_error().is_some_and(|code| full.contains(&code)) && listener.turn_away();
                    self.events.local_listener_error(id, &error.to_string());
                    if !goes_on {
                        // Tried again with the next connection.
                        return;
                    }
                }
            }
        }
        self.locals.wake(id);
    }

    /// JavaScript has decided on a connection of this listener: joined or reset.
    pub fn decided(&mut self, listener: Option<u64>) {
        let Some(id) = listener else { return };
        if let Some(Local::Listener(entry)) = self.locals.sockets.get_mut(&id) {
            entry.undecided -= 1;
            self.locals.wake(id);
        }
    }
}
