//! Sockets of local programs at the end of a tunnel: control opens and joins them, the engine seals, opens and moves
//! their bytes.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Instant,
};

use rustc_hash::FxHashMap;
use rustix::event::epoll::{self, EventData, EventFlags};

use super::Core;

mod listener;
mod opener;
mod pipe;
mod pipe_end;
mod senders;
mod tcp;
mod tunnel;
mod udp;

use listener::Listener;
use pipe::Tools;
use tcp::Tcp;
pub use tunnel::{StreamCodes, Tunnel};
use udp::Udp;
pub use udp::{LocalRoute, Mode};

/// Marks the keys of local sockets among those that the poller gives back; the rest is their id.
pub const LOCAL_KEY: u64 = 1 << 63;

enum Local {
    Listener(Listener),
    Tcp(Tcp),
    Udp(Box<Udp>),
}

/// Every local socket, by the id that JavaScript knows.
pub struct Locals {
    /// None in a world without a poller, as tests have it.
    poller: Option<Arc<OwnedFd>>,
    sockets: FxHashMap<u64, Local>,
    /// Those that may have something to do, each once.
    ready: VecDeque<u64>,
    tools: Tools,
}

impl Locals {
    pub fn new() -> Self {
        Self { poller: None, sockets: FxHashMap::default(), ready: VecDeque::new(), tools: Tools::new() }
    }

    pub fn set_poller(&mut self, poller: Arc<OwnedFd>) {
        self.poller = Some(poller);
    }

    pub fn has_work(&self) -> bool {
        !self.ready.is_empty()
    }

    pub fn clear(&mut self) {
        self.sockets.clear();
        self.ready.clear();
    }

    /// Edge-triggered: a socket is read or written until it would block, and again only after the next report of the
    /// poller.
    fn watch(&self, id: u64, socket: impl AsFd) -> Result<(), String> {
        self.watch_for(EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP, id, socket)
    }

    /// For a datagram socket: every datagram that leaves it makes room, which is no news.
    fn watch_input(&self, id: u64, socket: impl AsFd) -> Result<(), String> {
        self.watch_for(EventFlags::IN, id, socket)
    }

    fn watch_for(&self, interest: EventFlags, id: u64, socket: impl AsFd) -> Result<(), String> {
        let Some(poller) = &self.poller else { return Ok(()) };
        let key = EventData::new_u64(LOCAL_KEY | id);
        epoll::add(poller, socket, key, interest | EventFlags::ET).map_err(|error| error.to_string())
    }

    /// Has its turn, once, in the next run.
    pub fn wake(&mut self, id: u64) {
        let queued = match self.sockets.get_mut(&id) {
            Some(Local::Listener(listener)) => &mut listener.queued,
            Some(Local::Tcp(tcp)) => &mut tcp.queued,
            Some(Local::Udp(udp)) => &mut udp.queued,
            None => return,
        };
        if !std::mem::replace(queued, true) {
            self.ready.push_back(id);
        }
    }

    /// The poller reports that a socket is ready.
    pub fn note_ready(&mut self, id: u64, flags: EventFlags) {
        let failed = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        match self.sockets.get_mut(&id) {
            Some(Local::Listener(listener)) => listener.readable = true,
            Some(Local::Udp(udp)) => udp.readable = true,
            Some(Local::Tcp(tcp)) => {
                tcp.io.readable |= failed || flags.intersects(EventFlags::IN | EventFlags::RDHUP);
                tcp.io.writable |= failed || flags.contains(EventFlags::OUT);
                tcp.io.failed |= failed;
            }
            // Closed since.
            None => return,
        }
        self.wake(id);
    }
}

impl Core {
    /// Each socket that may have something to do has one turn; what it leaves over waits for the next.
    pub fn run_locals(&mut self, now: Instant) {
        for _ in 0..self.locals.ready.len() {
            let Some(id) = self.locals.ready.pop_front() else { return };
            match self.locals.sockets.get_mut(&id) {
                Some(Local::Listener(listener)) => {
                    listener.queued = false;
                    self.accept_local(id);
                }
                Some(Local::Tcp(tcp)) => {
                    tcp.queued = false;
                    self.turn_tcp(id, now);
                }
                Some(Local::Udp(udp)) => {
                    udp.queued = false;
                    self.turn_udp(id, now);
                }
                None => {}
            }
        }
    }

    /// Closes a listener; connections that it accepted stay open.
    pub fn close_local(&mut self, id: u64) {
        if matches!(self.locals.sockets.get(&id), Some(Local::Listener(_))) {
            self.locals.sockets.remove(&id);
        }
    }
}
