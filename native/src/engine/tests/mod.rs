//! Whatever arrives from the network or from JavaScript, the core neither panics nor loses its ability to serve.

use std::{
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

use super::{
    Core, Decision, DialRequest, ListenRequest,
    receive::{Arrival, ReceiveBuffer},
};
use crate::{settings::Settings, tls::Verification};

mod any_input;
mod hard_times;

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
