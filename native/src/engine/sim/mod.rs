//! Edges and a relay in virtual time: the whole engine but its sockets, over paths that lose, delay and hold back. A
//! minute takes a second.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Core, fixtures, receive::Arrival, transmit::Captured};
use crate::{
    ledger::{Counts, DropReason},
    settings::Settings,
};

mod deliveries;
mod flight;
mod fresh;
mod live;
pub mod path;
mod pauses;
mod pictures;
mod seeds;
mod start;
mod transfer;

pub use deliveries::Delivery;
use flight::Flight;
use path::{Bulk, Faults, Path};
use pauses::Pauses;
use transfer::Transfer;

pub const RELAY: usize = 0;
pub const SENDER: usize = 1;
pub const RECEIVER: usize = 2;

pub fn settings() -> Settings {
    Settings {
        idle_timeout: Duration::from_secs(25),
        keep_alive: Duration::from_secs(5),
        handshake_timeout: Duration::from_secs(5),
        max_bidi_streams: 1024,
        stream_window: 1_250_000,
        connection_window: 8 << 20,
        datagram_queue_bytes: 256 * 1024,
        useless_bytes: 0,
        ..fixtures::settings()
    }
}

/// The relay and two edges; the paths between the relay and each edge, both directions.
pub struct Net {
    pub cores: [Core; 3],
    /// Towards edge `n + 1`, and from it.
    pub down: [Path; 2],
    pub up: [Path; 2],
    pub now: Instant,
    pub began: Instant,
    /// Beside the datagrams, on the way to the receiver.
    pub bulk: Option<Bulk>,
    transfer: Option<Transfer>,
    flights: BinaryHeap<Reverse<Flight>>,
    sent_packets: u64,
    /// Of each core, while it is stopped: what arrives waits in its socket.
    stopped: [Option<Vec<Flight>>; 3],
    pub pauses: [Option<Pauses>; 3],
    /// When datagrams were made while their sender was stopped.
    made: Vec<Instant>,
    /// Datagrams that grew too old because a process was stopped.
    pub excused: usize,
    relay_address: SocketAddr,
    listener: u32,
    /// The relay's connections to the edges, and theirs to it.
    pub legs: [u64; 2],
    pub dialled: [u64; 2],
    pub ledger: Arc<Counts>,
    pub local: Arc<Counts>,
    next_number: u64,
    pub delivered: Vec<Delivery>,
}

const TUNNEL: [u8; 16] = [7; 16];
/// Packets of this size carry datagrams.
const LARGE: usize = 1000;

impl Net {
    /// Connected, paths searched for their MTU, and a route from sender to receiver.
    pub fn new(delay: Duration) -> Self {
        let near = Faults { delay: Duration::from_micros(100), ..Faults::default() };
        let mut net = Self::over(near, Faults { delay, ..Faults::default() }, 0);
        net.run(Duration::from_secs(2));
        net
    }

    /// Connected a moment ago; since then the paths to both edges have these faults, both ways.
    pub fn over(near: Faults, faults: Faults, seed: u64) -> Self {
        let began = Instant::now();
        let mut cores: [Core; 3] = std::array::from_fn(|_| Core::new());
        for core in &mut cores {
            core.captured = Some(Vec::new());
        }
        let listening = fixtures::listen(&mut cores[RELAY], settings());
        let plain = |faults: Faults| Faults { delay: faults.delay, ..Faults::default() };
        let mut net = Self {
            cores,
            down: [Path::new(plain(near), seed + 1, began), Path::new(plain(faults), seed + 2, began)],
            up: [Path::new(plain(near), seed + 3, began), Path::new(plain(faults), seed + 4, began)],
            now: began,
            began,
            bulk: None,
            transfer: None,
            flights: BinaryHeap::new(),
            sent_packets: 0,
            stopped: [None, None, None],
            pauses: [None, None, None],
            made: Vec::new(),
            excused: 0,
            relay_address: listening.address,
            listener: listening.id,
            legs: [0; 2],
            dialled: [0; 2],
            ledger: Arc::default(),
            local: Arc::default(),
            next_number: 0,
            delivered: Vec::new(),
        };
        for edge in [SENDER, RECEIVER] {
            net.connect(edge);
        }
        (net.down[0].faults, net.up[0].faults) = (near, near);
        (net.down[1].faults, net.up[1].faults) = (faults, faults);
        let [from, to] = net.legs;
        net.cores[RELAY].route(from, TUNNEL, Some(to), DropReason::NoPeer, net.ledger.clone());
        net
    }

    fn connect(&mut self, edge: usize) {
        let request = fixtures::dial_request(self.relay_address, settings());
        let (id, _) = self.cores[edge].dial(request, self.now).unwrap_or_else(|_| panic!("a dial"));
        self.dialled[edge - 1] = id;
        let known: Vec<u64> = self.cores[RELAY].slots.keys().copied().collect();
        let is_up =
            |net: &mut Self| net.cores[edge].live(id).is_some_and(|(_, connection)| connection.is_established());
        while !is_up(self) && self.elapsed() < Duration::from_secs(5) {
            self.run(Duration::from_millis(10));
        }
        let legs: Vec<u64> = self.cores[RELAY].slots.keys().copied().filter(|id| !known.contains(id)).collect();
        self.legs[edge - 1] = *legs.first().expect("the relay's end");
        assert!(is_up(self));
    }

    pub fn elapsed(&self) -> Duration {
        self.now.duration_since(self.began)
    }

    /// Runs the world for a while; `rate` datagrams a second of `bytes` go from sender to receiver, evenly.
    pub fn send(&mut self, rate: u32, bytes: usize, time: Duration) {
        let (start, number) = (self.now, self.next_number);
        let count = (f64::from(rate) * time.as_secs_f64()) as u64;
        for i in 0..count {
            self.run_until(start + time.mul_f64(i as f64 / count as f64));
            self.send_one(bytes);
        }
        self.run_until(start + time);
        assert_eq!(self.next_number, number + count);
    }

    pub fn send_one(&mut self, bytes: usize) {
        let mut payload = TUNNEL.to_vec();
        payload.extend_from_slice(&self.next_number.to_be_bytes());
        payload.extend_from_slice(&(self.elapsed().as_nanos() as u64).to_be_bytes());
        payload.resize(bytes, 0);
        self.next_number += 1;
        let (local, now) = (self.local.clone(), self.now);
        if self.stopped[SENDER].is_some() {
            self.made.push(now);
        }
        if let Some((slot, connection)) = self.cores[SENDER].live(self.dialled[0]) {
            local.datagram_in(bytes);
            connection.send_datagram(payload.into(), Some(&local), now);
            self.cores[SENDER].mark_dirty(slot);
        }
        self.turn(SENDER);
    }

    pub fn run(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    pub fn run_until(&mut self, end: Instant) {
        let mut turns = (self.now, 0);
        loop {
            turns = if turns.0 == self.now { (self.now, turns.1 + 1) } else { (self.now, 0) };
            assert!(turns.1 < 100_000, "the engine turns without end");
            let wakes = (0..3).filter(|&core| self.stopped[core].is_none());
            let wake = wakes.filter_map(|core| self.cores[core].next_wake(self.now).map(|at| (at, core))).min();
            let flight = self.flights.peek().map(|Reverse(flight)| flight.at);
            let bulk = self.bulk.as_ref().and_then(Bulk::next);
            let pause = self.next_pause();
            let next = [wake.map(|(at, _)| at), flight, bulk, pause.map(|(at, _)| at)].into_iter().flatten().min();
            let Some(next) = next.filter(|&at| at <= end) else { break };
            self.now = self.now.max(next);
            if let Some((_, core)) = pause.filter(|&(at, _)| at == next) {
                self.turn_pause(core);
            } else if bulk == Some(next) {
                self.turn_bulk();
            } else if flight == Some(next) {
                self.deliver();
            } else if let Some((_, core)) = wake {
                self.turn(core);
            }
        }
        self.now = self.now.max(end);
    }

    pub fn begin_bulk(&mut self) {
        self.bulk = Some(Bulk::new(self.now));
        self.turn_bulk();
    }

    fn turn_bulk(&mut self) {
        let back = self.up[1].faults.delay;
        if let Some(bulk) = &mut self.bulk {
            bulk.turn(&mut self.down[1], back, self.now);
        }
    }

    fn deliver(&mut self) {
        let Some(Reverse(flight)) = self.flights.pop() else { return };
        let to = flight.to;
        if let Some(waiting) = &mut self.stopped[to] {
            return waiting.push(flight);
        }
        self.receive(flight);
        self.turn(to);
    }

    fn receive(&mut self, flight: Flight) {
        let core = &mut self.cores[flight.to];
        let Some((endpoint, _)) = core.endpoints.iter().next() else { return };
        let local = Some(Ipv4Addr::LOCALHOST.into());
        let arrival = Arrival { remote: flight.from, local, ecn: None, at: flight.at };
        core.packet(endpoint, &flight.bytes, arrival, self.now);
    }

    pub fn turn(&mut self, core: usize) {
        if self.stopped[core].is_some() {
            return;
        }
        let (now, listener) = (self.now, self.listener);
        let entry = &mut self.cores[core];
        if core == RELAY {
            fixtures::accept_all(entry, listener);
        }
        entry.turn(now, || now);
        let port = entry.endpoints.iter().next().map_or(0, |(_, endpoint)| endpoint.socket.address.port());
        let from = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        for packet in entry.captured.replace(Vec::new()).unwrap_or_default() {
            self.carry(core, from, packet);
        }
        let events = self.cores[core].drain(now);
        if core == RECEIVER {
            self.take_datagrams(&events);
            self.read_on();
        } else if core == RELAY {
            self.write_on();
        }
    }

    fn carry(&mut self, core: usize, from: SocketAddr, packet: Captured) {
        let edge_of = |net: &Self, address: SocketAddr| {
            (1..3).find(|&edge| {
                let mut endpoints = net.cores[edge].endpoints.iter();
                endpoints.any(|(_, endpoint)| endpoint.socket.address.port() == address.port())
            })
        };
        let to = if core == RELAY { edge_of(self, packet.to) } else { Some(RELAY) };
        let Some(to) = to else { return };
        let path = if core == RELAY { &mut self.down[to - 1] } else { &mut self.up[core - 1] };
        if let Some(at) = path.arrival(self.now, packet.bytes.len()) {
            self.sent_packets += 1;
            let flight = Flight { at, number: self.sent_packets, to, from, bytes: packet.bytes };
            self.flights.push(Reverse(flight));
        }
    }

    pub fn leg(&mut self, edge: usize) -> &mut super::Connection {
        let id = self.legs[edge - 1];
        let (_, connection) = self.cores[RELAY].live(id).expect("the leg");
        connection
    }

    pub fn edge(&mut self, edge: usize) -> &mut super::Connection {
        let (_, connection) = self.cores[edge].live(self.dialled[edge - 1]).expect("the edge's end");
        connection
    }
}
