//! Whatever arrives from the network or from JavaScript, the core neither panics nor loses its ability to serve.

use std::{
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

use super::{
    Core, DialRequest, fixtures,
    receive::{Arrival, ReceiveBuffer},
};

mod any_input;
mod hard_times;
mod late;

fn dial(remote: std::net::SocketAddr) -> DialRequest {
    fixtures::dial_request(remote, fixtures::settings())
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
        let mut core = Core::new();
        let listening = fixtures::listen(&mut core, fixtures::settings());
        Self { core, buffer: ReceiveBuffer::new(), listener: listening.id, address: listening.address }
    }

    fn turn(&mut self) {
        self.turn_with_pause(Duration::ZERO);
    }

    /// The process stands still for so long once the sockets were read.
    fn turn_with_pause(&mut self, pause: Duration) {
        let now = Instant::now();
        let endpoints: Vec<usize> = self.core.endpoints.iter().map(|(key, _)| key).collect();
        for endpoint in endpoints {
            self.core.receive(endpoint, &mut self.buffer, now);
        }
        fixtures::accept_all(&mut self.core, self.listener);
        self.core.turn(now, || now + pause);
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
