//! Whatever arrives from the network or from JavaScript, the core neither panics nor loses its ability to serve.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use proptest::{collection::vec, prelude::*, test_runner::Config};
use quinn_proto::{Dir, StreamId, VarInt};

use super::{
    Core, Decision, DialRequest, ListenRequest, NamedStream,
    endpoint::Stall,
    incoming::DECISIONS_PER_TURN,
    receive::{Arrival, ReceiveBuffer},
};
use crate::{
    ledger::{Counts, DropReason},
    settings::Settings,
    tls::Verification,
};

fn settings() -> Settings {
    Settings {
        alpn: b"test".to_vec(),
        idle_timeout: Duration::from_secs(5),
        keep_alive: Duration::from_secs(1),
        handshake_timeout: Duration::from_secs(2),
        max_udp_payload: 1452,
        max_bidi_streams: 64,
        max_uni_streams: 16,
        stream_window: 100_000,
        connection_window: 1_000_000,
        datagram_queue_bytes: 50_000,
        datagram_queue_age: Duration::from_millis(100),
        unproven_bytes: 0,
        useless_bytes: 1 << 20,
        local_datagrams: true,
        socket_buffer_bytes: 0,
    }
}

fn dial(remote: std::net::SocketAddr) -> DialRequest {
    DialRequest { remote, server_name: "relay".into(), verification: Verification::None, settings: settings() }
}

/// A core that listens on loopback and can dial itself, turned by hand.
struct World {
    core: Core,
    buffer: ReceiveBuffer,
    listener: u32,
    address: std::net::SocketAddr,
}

impl World {
    fn new() -> Self {
        let identity = rcgen::generate_simple_self_signed(vec!["relay".into()]).expect("a certificate");
        let mut core = Core::new();
        let listening = core
            .listen(ListenRequest {
                address: (Ipv4Addr::LOCALHOST, 0).into(),
                certificate: identity.cert.pem(),
                private_key: identity.signing_key.serialize_pem(),
                settings: settings(),
                reset_key: vec![1; 32],
                retry_above_per_sec: 0,
            })
            .unwrap_or_else(|_| panic!("a listener"));
        Self { core, buffer: ReceiveBuffer::new(), listener: listening.id, address: listening.address }
    }

    fn turn(&mut self) {
        let now = Instant::now();
        let endpoints: Vec<usize> = self.core.endpoints.iter().map(|(key, _)| key).collect();
        for endpoint in endpoints {
            self.core.receive(endpoint, &mut self.buffer, now);
        }
        let asked: Vec<u32> = self
            .core
            .endpoints
            .iter()
            .filter_map(|(_, e)| e.listener.as_ref())
            .flat_map(|l| l.asked.keys().copied())
            .collect();
        for attempt in asked {
            self.core.answer(self.listener, attempt, Decision::Accept);
        }
        self.core.turn(now, || now);
    }

    fn turn_until(&mut self, what: &str, done: impl Fn(&Core) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done(&self.core) {
            assert!(Instant::now() < deadline, "not in time: {what}");
            self.turn();
        }
    }

    /// The ids of both ends of a new connection: the dialled one and the accepted one.
    fn pair(&mut self) -> [u64; 2] {
        let before = self.core.next_id;
        let (dialled, _) = self.core.dial(dial(self.address), Instant::now()).unwrap_or_else(|_| panic!("a dial"));
        let new = |core: &Core| -> Vec<u64> {
            let connections = core.connections.iter().map(|(_, connection)| connection);
            connections.filter(|c| c.id >= before && c.is_established()).map(|c| c.id).collect()
        };
        self.turn_until("a handshake", |core| new(core).len() == 2);
        let accepted = new(&self.core).into_iter().find(|&id| id != dialled);
        [dialled, accepted.expect("the other end")]
    }
}

fn endpoint_of(core: &Core) -> usize {
    core.endpoints.iter().find(|(_, entry)| entry.listener.is_some()).map(|(key, _)| key).expect("the listener")
}

/// The first packet of a real dial.
fn first_packet() -> Vec<u8> {
    let catcher = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let mut core = Core::new();
    let remote = catcher.local_addr().expect("its address");
    core.dial(dial(remote), Instant::now()).unwrap_or_else(|_| panic!("a dial"));
    core.turn(Instant::now(), Instant::now);
    let mut packet = vec![0; 2048];
    let length = catcher.recv(&mut packet).expect("a packet");
    packet.truncate(length);
    packet
}

fn arrival(remote: std::net::SocketAddr, at: Instant) -> Arrival {
    Arrival { remote, local: None, ecn: None, at }
}

fn still_serves(mut world: World) {
    world.pair();
    assert!(world.core.broken.is_none());
}

proptest! {
    #![proptest_config(Config { cases: 64, ..Config::default() })]

    #[test]
    fn packets_of_noise_are_harmless(packets in vec(vec(any::<u8>(), 0..1500), 1..64)) {
        let mut world = World::new();
        let endpoint = endpoint_of(&world.core);
        for packet in packets {
            world.core.packet(endpoint, &packet, arrival(([127, 0, 0, 1], 9).into(), Instant::now()), Instant::now());
            world.turn();
        }
        still_serves(world);
    }

    #[test]
    fn mangled_handshakes_are_harmless(flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>()) {
        let mut world = World::new();
        let endpoint = endpoint_of(&world.core);
        let whole = first_packet();
        for truncated in [false, true] {
            let mut packet = whole.clone();
            for (at, value) in &flips {
                packet[at.index(whole.len())] = *value;
            }
            if truncated {
                packet.truncate(cut.index(whole.len()));
            }
            world.core.packet(endpoint, &packet, arrival(([127, 0, 0, 1], 9).into(), Instant::now()), Instant::now());
            world.turn();
        }
        still_serves(world);
    }

    #[test]
    fn calls_in_any_order_with_any_numbers_are_harmless(calls in vec(call(), 1..80)) {
        let mut world = World::new();
        let ids: Vec<u64> = world.pair().into_iter().chain(world.pair()).collect();
        for call in calls {
            call.make(&mut world, &ids);
            world.turn();
        }
        still_serves(world);
    }
}

#[derive(Clone, Debug)]
struct Call {
    kind: u8,
    connection: usize,
    other: usize,
    stream: u64,
    number: u64,
    bytes: Vec<u8>,
}

fn call() -> impl Strategy<Value = Call> {
    let stream = prop_oneof![0u64..12, any::<u64>()];
    let number = prop_oneof![0u64..100, any::<u64>()];
    (0u8..16, 0usize..5, 0usize..5, stream, number, vec(any::<u8>(), 0..3000)).prop_map(
        |(kind, connection, other, stream, number, bytes)| Call { kind, connection, other, stream, number, bytes },
    )
}

fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}

impl Call {
    fn make(self, world: &mut World, ids: &[u64]) {
        let now = Instant::now();
        let core = &mut world.core;
        let (connection, other) =
            (ids.get(self.connection).copied().unwrap_or(self.number), ids.get(self.other).copied());
        let stream = StreamId::from(varint(self.stream));
        let ledger: Arc<Counts> = Arc::default();
        match self.kind {
            9 => {
                let second = NamedStream {
                    connection: other.unwrap_or(self.number),
                    stream: StreamId::from(varint(self.number)),
                };
                core.splice(
                    [NamedStream { connection, stream }, second],
                    [ledger.clone(), ledger],
                    varint(self.number),
                    now,
                );
            }
            10 => core.abort_splice(self.number, varint(self.stream)),
            11 => {
                core.route(connection, [self.bytes.len() as u8; 16], other, DropReason::NoPeer, ledger);
            }
            12 => core.withdraw(connection, &[self.bytes.len() as u8; 16], self.number),
            13 => core.forget(self.number),
            14 => core.stop_accepting(u32::MAX),
            15 => {
                if let Some((slot, _)) = core.live(connection) {
                    core.close(slot, varint(self.number), "closed".into());
                }
            }
            _ => {
                if let Some((slot, entry)) = core.known(connection) {
                    self.on_connection(entry, stream, now);
                    core.mark_dirty(slot);
                }
            }
        }
    }

    fn on_connection(self, entry: &mut super::Connection, stream: StreamId, now: Instant) {
        let bytes = Bytes::from(self.bytes);
        match self.kind {
            0 => drop(entry.open_stream(Dir::Bi)),
            1 => drop(entry.open_stream(Dir::Uni)),
            2 => drop(entry.read(stream, bytes.len())),
            3 => drop(entry.write(stream, &bytes)),
            4 => entry.finish(stream),
            5 => entry.reset(stream, varint(self.number)),
            6 => entry.stop(stream, varint(self.number)),
            7 => drop(entry.send_datagram(bytes, None, now)),
            _ => drop(entry.stats()),
        }
    }
}

#[test]
fn a_panic_in_one_connection_ends_that_one_only() {
    let mut world = World::new();
    let [first, _] = world.pair();
    let (slot, _) = world.core.live(first).expect("the connection");
    world.core.guarded(slot, |_| panic!("as a bug would"));
    assert!(world.core.live(first).is_none());
    still_serves(world);
}

#[test]
fn a_splice_of_a_connection_that_has_ended_ends_too() {
    let mut world = World::new();
    let now = Instant::now();
    let [first, second] = [world.pair(), world.pair()];
    let open = |core: &mut Core, connection: u64| {
        let (slot, entry) = core.live(connection).expect("a live connection");
        let stream = entry.open_stream(Dir::Bi).expect("a stream");
        core.mark_dirty(slot);
        NamedStream { connection, stream }
    };
    let ends = [open(&mut world.core, first[1]), open(&mut world.core, second[1])];
    let (slot, _) = world.core.live(first[1]).expect("the connection");
    world.core.close(slot, VarInt::from_u32(0), "closed".into());
    world.core.splice(ends, [Arc::default(), Arc::default()], VarInt::from_u32(2), now);
    assert!(world.core.splices.is_empty());
    still_serves(world);
}

#[test]
fn a_storm_of_handshakes_is_spread_over_turns() {
    let mut world = World::new();
    let dials = 3 * DECISIONS_PER_TURN;
    for _ in 0..dials {
        world.core.dial(dial(world.address), Instant::now()).unwrap_or_else(|_| panic!("a dial"));
    }
    world.core.turn(Instant::now(), Instant::now);
    let endpoint = endpoint_of(&world.core);
    world.core.receive(endpoint, &mut world.buffer, Instant::now());
    let listener = world.core.endpoints[endpoint].listener.as_ref();
    let asked: Vec<u32> = listener.map(|l| l.asked.keys().copied().collect()).unwrap_or_default();
    assert_eq!(asked.len(), dials);
    for attempt in asked {
        world.core.answer(world.listener, attempt, Decision::Accept);
    }
    for turn in 1..=3 {
        world.core.turn(Instant::now(), Instant::now);
        assert_eq!(world.core.decisions.len(), dials - turn * DECISIONS_PER_TURN);
        assert!(turn == 3 || world.core.next_wake(Instant::now()).is_some_and(|at| at <= Instant::now()));
    }
    // Each was begun at both ends.
    assert_eq!(world.core.counters.handshakes_started, 2 * dials as u64);
}

#[test]
fn a_turn_without_a_datagram_does_not_hide_that_the_loop_stood_still() {
    let mut core = Core::new();
    let before = Instant::now();
    core.longest_wait(None, before);
    let after = before + Duration::from_secs(3);
    // A timer or JavaScript called for the first turn after the pause; the next one follows at once.
    assert_eq!(core.longest_wait(None, after), after);
    assert_eq!(Stall::arrival(&mut None, core.turned_at, after), before);
    // What comes once that turn has looked is fresh.
    assert!(core.longest_wait(None, after) > after);
    assert_eq!(Stall::arrival(&mut None, core.turned_at, after), after);
}

#[test]
fn a_datagram_that_was_in_hand_while_the_loop_stood_still_expires() {
    let mut world = World::new();
    let [dialled, _] = world.pair();
    let ledger: Arc<Counts> = Arc::default();
    let now = Instant::now();
    for stood_still in [Duration::ZERO, Duration::from_secs(3)] {
        let (slot, entry) = world.core.live(dialled).expect("the connection");
        entry.send_datagram(Bytes::from_static(&[1; 1000]), Some(&ledger), now);
        world.core.mark_dirty(slot);
        world.core.turn(now, || now + stood_still);
    }
    let totals = ledger.totals();
    assert_eq!((totals[1], totals[5 + DropReason::Expired as usize], ledger.all_drops()), (1, 1, 1));
}

#[test]
fn a_failed_socket_goes_with_what_waited_for_it() {
    let mut world = World::new();
    let [_, accepted] = world.pair();
    let endpoint = endpoint_of(&world.core);
    let (slot, _) = world.core.live(accepted).expect("the connection");
    world.core.endpoints[endpoint].held.push(slot);
    world.core.socket_failed(endpoint, "as the kernel would");
    world.core.turn(Instant::now(), Instant::now);
    assert!(!world.core.endpoints.contains(endpoint));
}

#[test]
fn noise_under_the_id_of_a_connection_is_not_its_peers() {
    let mut world = World::new();
    let [dialled, accepted] = world.pair();
    let (now, endpoint) = (Instant::now(), endpoint_of(&world.core));
    let mut packet = Vec::new();
    let (_, entry) = world.core.live(dialled).expect("the connection");
    entry.quic.ping();
    assert!(entry.quic.poll_transmit(now, 1, &mut packet).is_some());
    let from = entry.local;
    // As much as closes a peer that sends it, and all but a few bytes of it wrong.
    packet.resize(1400, 0);
    let later = now + Duration::from_secs(1);
    for _ in 0..2 * settings().useless_bytes / 1400 {
        world.core.packet(endpoint, &packet, arrival(from, later), later);
    }
    let (_, victim) = world.core.live(accepted).expect("a connection that lives on");
    assert!(victim.acks.last_heard().is_some_and(|at| at < later));
    still_serves(world);
}

#[test]
fn readers_that_stop_do_not_use_up_the_window_of_others() {
    let mut world = World::new();
    let [dialled, accepted] = world.pair();
    let mut last = None;
    for paused in (0..=40).rev() {
        world.turn_until("a stream", |core| core.connections.iter().any(|(_, c)| c.id == dialled));
        let (slot, entry) = world.core.live(dialled).expect("the connection");
        let stream = entry.open_stream(Dir::Bi).expect("a stream");
        entry.write(stream, &vec![1; if paused > 0 { 200_000 } else { 5 }]);
        world.core.mark_dirty(slot);
        last = Some(stream);
        for _ in 0..200 {
            world.turn();
        }
    }
    let last = last.expect("the last stream");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let (_, entry) = world.core.live(accepted).expect("the other end");
        if entry.read(last, 10) == super::ReadOutcome::Data(Bytes::from(vec![1; 5])) {
            break;
        }
        assert!(Instant::now() < deadline, "not in time: the last stream's bytes");
        world.turn();
    }
}
