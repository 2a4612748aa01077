//! A client and a server of quinn-proto, whose clock and path are the caller's.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn_proto::*;

/// A window that never changes, so that only the path loses and delays.
#[derive(Clone)]
struct Fixed;
impl congestion::Controller for Fixed {
    fn on_congestion_event(&mut self, _: Instant, _: Instant, _: bool, _: u64) {}
    fn on_mtu_update(&mut self, _: u16) {}
    fn window(&self) -> u64 {
        1 << 24
    }
    fn clone_box(&self) -> Box<dyn congestion::Controller> {
        Box::new(self.clone())
    }
    fn initial_window(&self) -> u64 {
        1 << 24
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
impl congestion::ControllerFactory for Fixed {
    fn build(self: Arc<Self>, _: Instant, _: u16) -> Box<dyn congestion::Controller> {
        Box::new(Fixed)
    }
}

/// Numbers that are the same in each run (xorshift64).
pub struct Random(pub u64);
impl Random {
    /// From 0 to below 1.
    pub fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How long each packet to the peer takes; None loses it.
pub type Path = Box<dyn FnMut() -> Option<Duration>>;

pub struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    peer: SocketAddr,
    path: Path,
    under_way: Vec<(Instant, BytesMut)>,
    /// Bytes of the largest packet sent.
    pub largest: usize,
    pub packets: u64,
    /// Packets that the path lost after the handshake; none is lost in it.
    pub lost: u64,
    pub datagrams_received: u64,
}

impl End {
    fn new(endpoint: Endpoint, peer: SocketAddr, path: Path) -> Self {
        let (under_way, connection) = (Vec::new(), None);
        Self { endpoint, connection, peer, path, under_way, largest: 0, packets: 0, lost: 0, datagrams_received: 0 }
    }

    /// None at a server before the first packet.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut().map(|(_, connection)| connection)
    }

    fn receive(&mut self, now: Instant, packet: BytesMut) {
        let mut answer = Vec::new();
        match self.endpoint.handle(now, self.peer, None, None, packet, &mut answer) {
            Some(DatagramEvent::NewConnection(incoming)) => {
                self.connection = Some(self.endpoint.accept(incoming, now, &mut answer, None).unwrap());
            }
            Some(DatagramEvent::ConnectionEvent(_, event)) => self.connection().unwrap().handle_event(event),
            _ => {}
        }
    }

    fn send(&mut self, now: Instant) {
        let Some((handle, connection)) = self.connection.as_mut() else { return };
        if connection.poll_timeout().is_some_and(|due| due <= now) {
            connection.handle_timeout(now);
        }
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        while connection.poll().is_some() {}
        while connection.datagrams().recv().is_some() {
            self.datagrams_received += 1;
        }
        let mut buffer = Vec::new();
        while let Some(sent) = connection.poll_transmit(now, 1, &mut buffer) {
            self.largest = self.largest.max(sent.size);
            self.packets += 1;
            let handshake = connection.is_handshaking().then_some(Duration::from_millis(20));
            match handshake.or_else(&mut self.path) {
                Some(delay) => self.under_way.push((now + delay, BytesMut::from(&buffer[..sent.size]))),
                None => self.lost += 1,
            }
            buffer.clear();
        }
    }

    fn arrived(&mut self, now: Instant) -> Vec<BytesMut> {
        let mut due: Vec<_> = self.under_way.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, packet)| packet).collect()
    }
}

/// The client dials; `turn` does the rest.
pub fn pair(mut transport: TransportConfig, there: Path, back: Path, now: Instant) -> (End, End) {
    transport.congestion_controller_factory(Arc::new(Fixed));
    let transport = Arc::new(transport);
    let certified = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let der = certified.cert.der().clone();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()).into();
    let mut server_config = ServerConfig::with_single_cert(vec![der.clone()], key).unwrap();
    server_config.transport_config(transport.clone());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der).unwrap();
    let mut client_config = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    client_config.transport_config(transport);
    let config = Arc::new(EndpointConfig::default());
    let server_at: SocketAddr = "127.0.0.1:4433".parse().unwrap();
    let client_at: SocketAddr = "127.0.0.1:40000".parse().unwrap();
    let server = End::new(Endpoint::new(config.clone(), Some(Arc::new(server_config)), true, None), client_at, back);
    let mut client = End::new(Endpoint::new(config, None, true, None), server_at, there);
    client.connection = Some(client.endpoint.connect(now, client_config, server_at, "localhost").unwrap());
    (client, server)
}

/// What has arrived by now is received, then both ends send.
pub fn turn(client: &mut End, server: &mut End, now: Instant) {
    for packet in client.arrived(now) {
        server.receive(now, packet);
    }
    for packet in server.arrived(now) {
        client.receive(now, packet);
    }
    client.send(now);
    server.send(now);
}
