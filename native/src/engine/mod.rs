//! The state of one engine. Everything here runs under the lock of `runner::Shared`: on the engine's thread, or in a
//! call from JavaScript.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use rustc_hash::FxHashMap;
use slab::Slab;

use crate::events::EventBuffer;

mod ack_pace;
mod calls;
mod close_info;
mod connection;
mod datagrams;
mod endpoint;
#[cfg(test)]
mod fixtures;
mod gate;
mod guard;
mod incoming;
mod lane;
mod lifecycle;
mod local;
mod rate;
mod receive;
mod runner;
#[cfg(test)]
mod sim;
mod socket;
mod splice;
mod stats;
mod stream_events;
mod streams;
#[cfg(test)]
mod tests;
mod timers;
mod transmit;

pub use calls::{CallError, DialRequest, ListenRequest};
pub use connection::Connection;
pub use datagrams::{SendOutcome, Target};
pub use endpoint::Endpoint;
pub use guard::panic_message;
pub use incoming::Decision;
pub use local::{LOCAL_KEY, LocalRoute, Locals, Mode, StreamCodes, Tunnel};
pub use runner::{Shared, run};
pub use splice::{NamedStream, Splice};
pub use stats::Counters;
pub use streams::ReadOutcome;

/// Index of a connection in `Core::connections`; reused, unlike the id that JavaScript knows.
pub type Slot = usize;

/// A direction of a splice that may move bytes now.
#[derive(Clone, Copy)]
pub struct Pump {
    pub splice: u64,
    pub lane: usize,
}

/// A connection that received packets and has no data to send: its ACK may wait for more packets.
#[derive(Clone, Copy)]
pub struct Quiet {
    pub due: Instant,
    pub slot: Slot,
    pub connection: u64,
}

pub struct Core {
    pub endpoints: Slab<Endpoint>,
    pub connections: Slab<Box<Connection>>,
    pub slots: FxHashMap<u64, Slot>,
    pub splices: FxHashMap<u64, Box<Splice>>,
    pub events: EventBuffer,
    pub counters: Counters,
    /// Connections with something to send, each once (`Connection::dirty`).
    pub dirty: Vec<Slot>,
    /// Connections that received packets in this turn, each once (`Connection::touched`).
    pub touched: Vec<Slot>,
    pub quiet: VecDeque<Quiet>,
    pub pumps: VecDeque<Pump>,
    pub locals: Locals,
    pub timers: timers::Timers,
    /// JavaScript's decisions on attempts. The engine's thread applies them: the handshake's cryptography belongs
    /// there.
    pub decisions: VecDeque<(usize, u32, Decision)>,
    pub out: Vec<u8>,
    /// The set of sockets changed: the runner must poll others.
    pub sockets_changed: bool,
    pub offload: bool,
    pub live_connections: u64,
    /// The thread is gone, for this reason: nothing can be begun any more.
    pub broken: Option<String>,
    next_id: u64,
    pub next_attempt: u32,
    /// JavaScript was notified that events wait, and has not drained them yet.
    announced: bool,
    /// When the loop last turned; None before the first turn.
    pub turned_at: Option<Instant>,
    /// The last turn was the first one after a pause.
    looks_again: bool,
    #[cfg(test)]
    pub captured: Option<Vec<transmit::Captured>>,
}

impl Core {
    pub fn new() -> Self {
        Self {
            endpoints: Slab::new(),
            connections: Slab::new(),
            slots: FxHashMap::default(),
            splices: FxHashMap::default(),
            events: EventBuffer::default(),
            counters: Counters::default(),
            dirty: Vec::new(),
            touched: Vec::new(),
            quiet: VecDeque::new(),
            pumps: VecDeque::new(),
            locals: Locals::new(),
            timers: timers::Timers::default(),
            decisions: VecDeque::new(),
            out: Vec::new(),
            sockets_changed: false,
            offload: socket::offload_works(),
            live_connections: 0,
            broken: None,
            next_id: 1,
            next_attempt: 0,
            announced: false,
            turned_at: None,
            looks_again: false,
            #[cfg(test)]
            captured: None,
        }
    }

    /// One for everything that JavaScript names: connections, routes, splices, local sockets. Never used again.
    pub fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// A connection that JavaScript may still use.
    pub fn live(&mut self, connection: u64) -> Option<(Slot, &mut Connection)> {
        self.known(connection).filter(|(_, entry)| !entry.has_ended())
    }

    /// A connection that JavaScript has not seen end.
    pub fn known(&mut self, connection: u64) -> Option<(Slot, &mut Connection)> {
        let slot = *self.slots.get(&connection)?;
        let entry = self.connections.get_mut(slot)?;
        Some((slot, entry))
    }

    /// Whether JavaScript must be notified that events wait.
    pub fn announce(&mut self) -> bool {
        !self.events.is_empty() && !std::mem::replace(&mut self.announced, true)
    }

    /// Takes the events that JavaScript does not have yet. An event replaces each datagram that has expired meanwhile.
    pub fn drain(&mut self, now: Instant) -> Vec<u8> {
        self.announced = false;
        self.events.take(now)
    }

    pub fn mark_dirty(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(slot);
        }
    }

    pub fn mark_touched(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot];
        if !connection.touched {
            connection.touched = true;
            self.touched.push(slot);
        }
    }

    /// One turn of the loop, after the sockets were read: from what was received to what is sent. `clock` is read
    /// before each connection sends, and before a local program gets a datagram: what was in hand while the process
    /// stood still is old by then, and expires.
    pub fn turn(&mut self, now: Instant, clock: impl Fn() -> Instant) {
        self.apply_decisions(now);
        self.expire_timers(now);
        self.handle_received(now, &clock);
        self.run_pumps(now);
        self.run_locals(now);
        self.flush(clock);
        self.release_endpoints();
    }

    /// When the loop must turn again though nothing arrives; now, when work was left.
    pub fn next_wake(&self, now: Instant) -> Option<Instant> {
        let busy = !self.dirty.is_empty() || !self.pumps.is_empty() || self.locals.has_work();
        if busy || !self.touched.is_empty() || !self.decisions.is_empty() {
            return Some(now);
        }
        let quiet = self.quiet.front().map(|entry| entry.due);
        [self.timers.next(), quiet].into_iter().flatten().min()
    }
}

/// Sockets are shared with the runner, which polls them outside the lock.
pub type SharedSocket = Arc<socket::Socket>;
