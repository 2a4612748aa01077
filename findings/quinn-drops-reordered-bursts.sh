#!/usr/bin/env bash
# quinn-proto drops packets of a long burst whose packets pass each other, although the path carries every one of them. It writes packet
# numbers of one byte while fewer than 128 packets wait for an acknowledgement, and its window against duplicates holds 129 packets. A path
# that delays each packet by 20 to 40 ms and loses none costs a burst of 150 datagrams 13 % and one of 300 more than half. A key picture of
# a fast stream is such a burst. Expected: what arrives intact comes out. (Adit builds the crate with a patch.) In virtual time, so it sends
# nothing. Needs cargo and a C compiler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
bytes = "=1.12.1"
quinn-proto = { version = "=0.11.19", default-features = false, features = ["rustls-ring"] }
rcgen = { version = "=0.14.10", default-features = false, features = ["ring", "pem"] }
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std"] }
TOML
cat >"$folder/src/main.rs" <<'RUST'
use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use quinn_proto::*;

/// A window that never changes, so that only the path loses.
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

/// Delays each packet by 20 to 40 ms, so that packets of one moment pass each other. Loses none.
struct Jitter {
    state: u64,
}
impl Jitter {
    fn delay(&mut self) -> Duration {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        Duration::from_micros(20_000 + (self.state >> 11) % 20_000)
    }
}

const PAYLOAD: usize = 1100;

struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    peer: SocketAddr,
    way: Jitter,
    /// Packets on their way to the peer.
    under_way: Vec<(Instant, BytesMut)>,
    packets: u64,
    received: u64,
}

impl End {
    fn receive(&mut self, now: Instant, packet: BytesMut) {
        let mut answer = Vec::new();
        match self.endpoint.handle(now, self.peer, None, None, packet, &mut answer) {
            Some(DatagramEvent::NewConnection(incoming)) => {
                self.connection = Some(self.endpoint.accept(incoming, now, &mut answer, None).unwrap());
            }
            Some(DatagramEvent::ConnectionEvent(_, event)) => self.connection.as_mut().unwrap().1.handle_event(event),
            _ => {}
        }
    }

    /// Takes what has reached the peer by now.
    fn due(&mut self, now: Instant) -> Vec<BytesMut> {
        let mut due: Vec<_> = self.under_way.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, packet)| packet).collect()
    }

    fn turn(&mut self, now: Instant) {
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
            self.received += 1;
        }
        let mut buffer = Vec::new();
        while let Some(sent) = connection.poll_transmit(now, 1, &mut buffer) {
            self.packets += 1;
            self.under_way.push((now + self.way.delay(), BytesMut::from(&buffer[..sent.size])));
            buffer.clear();
        }
    }
}

fn main() {
    let mut transport = TransportConfig::default();
    // A path that reorders: RFC 9002 §6.1 lets both thresholds be wider.
    transport.packet_threshold(256).time_threshold(2.0).congestion_controller_factory(Arc::new(Fixed));
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
    let end = |endpoint, peer, seed| End {
        endpoint,
        connection: None,
        peer,
        way: Jitter { state: seed },
        under_way: Vec::new(),
        packets: 0,
        received: 0,
    };
    let mut server = end(Endpoint::new(config.clone(), Some(Arc::new(server_config)), true, None), client_at, 7919);
    let mut client = end(Endpoint::new(config, None, true, None), server_at, 104_729);
    let mut now = Instant::now();
    client.connection = Some(client.endpoint.connect(now, client_config, server_at, "localhost").unwrap());

    println!("quinn-proto 0.11.19");
    // A millisecond a step; a burst every half second, the first one when the handshake is long over.
    let mut lost = 0;
    for burst in [100u64, 150, 300] {
        let (before, packets) = (server.received, client.packets);
        for step in 0..5000u32 {
            now += Duration::from_millis(1);
            if step % 500 == 0 && step > 0 {
                let (_, connection) = client.connection.as_mut().unwrap();
                for _ in 0..burst {
                    connection.datagrams().send(Bytes::from(vec![0; PAYLOAD]), false).unwrap();
                }
            }
            for packet in client.due(now) {
                server.receive(now, packet);
            }
            for packet in server.due(now) {
                client.receive(now, packet);
            }
            client.turn(now);
            server.turn(now);
        }
        let (sent, arrived) = (9 * burst, server.received - before);
        println!(
            "bursts of {burst}: {sent} datagrams in {} packets, all of which the path carried; {arrived} came out",
            client.packets - packets
        );
        lost += sent - arrived;
        if burst == 100 && lost > 0 {
            println!("CHANGED: bursts of 100 lose datagrams, too");
            std::process::exit(1);
        }
    }
    if lost == 0 {
        println!("CHANGED: nothing is lost of a burst whose packets pass each other");
        std::process::exit(1);
    }
    println!("seen    the receiver drops packets of a long burst that arrived out of order");
}
RUST
cd "$folder"
cargo run --quiet
