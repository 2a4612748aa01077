//! One UDP socket with its QUIC endpoint: a listener, or the socket of dialled connections of one address family.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn_proto::{ConnectionHandle, Incoming, ServerConfig};
use rustc_hash::FxHashMap;

use super::{SharedSocket, Slot, rate::Rate};
use crate::settings::Settings;

/// A restarted relay meets thousands of edges at once; each reset is shorter than the packet that caused it.
const RESETS_PER_SECOND: u32 = 5000;

/// A packet (or GSO batch) that the kernel did not take yet.
pub struct Unsent {
    pub to: SocketAddr,
    pub from: Option<std::net::IpAddr>,
    pub ecn: Option<quinn_udp::EcnCodepoint>,
    pub segment: Option<usize>,
    pub bytes: Vec<u8>,
}

pub struct Listener {
    pub config: Arc<ServerConfig>,
    pub settings: Arc<Settings>,
    pub reset_key: Vec<u8>,
    pub accepting: bool,
    /// Attempts that wait for JavaScript's decision, by key.
    pub asked: FxHashMap<u32, Incoming>,
    /// Attempts above its limit get a Retry, without a call to JavaScript.
    pub rate: Rate,
}

/// What waits in a socket may be as old as this, until then.
pub struct Stall {
    since: Instant,
    over: Instant,
}

/// A loop that did not turn for longer stood still.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// A loop that cannot empty its sockets for so long is too slow, which is another matter.
const LONGEST_BACKLOG: Duration = Duration::from_secs(1);

impl Stall {
    /// When the loop last turned, if it stood still since.
    pub fn paused(turned: Option<Instant>, now: Instant) -> Option<Instant> {
        turned.filter(|&since| now.saturating_duration_since(since) > LONGEST_PAUSE)
    }

    /// When what a socket holds arrived, at the earliest: now, unless the loop stood still, as that of a stopped
    /// process does. Then it is when the loop last turned, until the socket was empty once.
    pub fn arrival(stalled: &mut Option<Self>, turned: Option<Instant>, now: Instant) -> Instant {
        if let Some(since) = Self::paused(turned, now) {
            *stalled = Some(Self { since, over: now + LONGEST_BACKLOG });
        }
        stalled.as_ref().filter(|stall| now < stall.over).map_or(now, |stall| stall.since)
    }
}

pub struct Endpoint {
    /// What JavaScript calls it; never used again, unlike its key.
    pub id: u32,
    pub quic: quinn_proto::Endpoint,
    pub socket: SharedSocket,
    /// Slots by quinn's handle, which is a small dense number.
    pub slots: Vec<Slot>,
    pub connections: usize,
    pub listener: Option<Listener>,
    /// Not empty while the kernel's send buffer is full; connections then stay dirty in `held`.
    pub unsent: VecDeque<Unsent>,
    pub held: Vec<Slot>,
    /// Goes away as soon as nothing waits to be sent.
    pub closing: bool,
    pub receive_errors: u32,
    /// The loop stood still, and the socket was not empty since.
    pub stalled: Option<Stall>,
    pub resets: Rate,
}

impl Endpoint {
    pub fn new(id: u32, quic: quinn_proto::Endpoint, socket: SharedSocket, listener: Option<Listener>) -> Self {
        Self {
            id,
            quic,
            socket,
            slots: Vec::new(),
            connections: 0,
            listener,
            unsent: VecDeque::new(),
            held: Vec::new(),
            closing: false,
            receive_errors: 0,
            stalled: None,
            resets: Rate::new(RESETS_PER_SECOND),
        }
    }

    pub fn assign(&mut self, handle: ConnectionHandle, slot: Slot) {
        if self.slots.len() <= handle.0 {
            self.slots.resize(handle.0 + 1, Slot::MAX);
        }
        self.slots[handle.0] = slot;
        self.connections += 1;
    }

    pub fn release(&mut self, handle: ConnectionHandle) {
        self.slots[handle.0] = Slot::MAX;
        self.connections -= 1;
    }

    /// Closing, and nothing waits for the kernel or for a flush.
    pub fn is_done(&self) -> bool {
        self.closing && self.unsent.is_empty() && self.held.is_empty()
    }
}
