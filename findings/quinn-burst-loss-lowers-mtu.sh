#!/usr/bin/env bash
# quinn-proto takes bursts of loss for a smaller path MTU where the loss thresholds are wide, as for a path that reorders (RFC 9002 §6.1
# lets them be). Datagrams of one size go both ways over a path that carries every size and loses 1 % in bursts of five. One end then lowers
# its MTU to 1200 and refuses every datagram of 1316 bytes until it looks again, a minute later. It compares the sizes of packets to the byte,
# and those of one flow differ by the ACK that travels with them. Expected: packets lost that were no larger than others that arrived are no
# sign of a smaller MTU. (Adit builds the crate with a patch.) In virtual time, so it sends nothing. Needs cargo and a C compiler.
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

/// Loses packets in bursts of five on average (Gilbert's model), whatever their size.
struct Bursts {
    state: u64,
    is_losing: bool,
    lost: u64,
}
impl Bursts {
    fn loses(&mut self) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let share = (self.state >> 11) as f64 / (1u64 << 53) as f64;
        self.is_losing = if self.is_losing { share >= 0.2 } else { share < 0.002 };
        self.lost += u64::from(self.is_losing);
        self.is_losing
    }
}

const ONE_WAY: Duration = Duration::from_millis(20);
const PAYLOAD: usize = 1316;

struct End {
    endpoint: Endpoint,
    connection: Option<(ConnectionHandle, Connection)>,
    peer: SocketAddr,
    way: Bursts,
    /// Packets on their way to the peer.
    under_way: Vec<(Instant, BytesMut)>,
    largest: usize,
    lowest_mtu: u16,
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
            self.largest = self.largest.max(sent.size);
            let handshaking = connection.is_handshaking();
            if handshaking || !self.way.loses() {
                self.under_way.push((now + ONE_WAY, BytesMut::from(&buffer[..sent.size])));
            }
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
        way: Bursts { state: seed, is_losing: false, lost: 0 },
        under_way: Vec::new(),
        largest: 0,
        lowest_mtu: u16::MAX,
        received: 0,
    };
    let mut server = end(Endpoint::new(config.clone(), Some(Arc::new(server_config)), true, None), client_at, 7919);
    let mut client = end(Endpoint::new(config, None, true, None), server_at, 104_729);
    let start = Instant::now();
    client.connection = Some(client.endpoint.connect(start, client_config, server_at, "localhost").unwrap());

    let (mut sent, mut too_large) = (0, 0);
    // Half a millisecond a step, 20 s in all. The flow begins small, until the path's MTU has been found.
    for step in 0..40_000u32 {
        let now = start + Duration::from_micros(500) * step;
        let due = |end: &mut End| -> Vec<BytesMut> {
            let (now_due, later) = std::mem::take(&mut end.under_way).into_iter().partition(|(at, _)| *at <= now);
            end.under_way = later;
            let now_due: Vec<(Instant, BytesMut)> = now_due;
            now_due.into_iter().map(|(_, packet)| packet).collect()
        };
        for packet in due(&mut client) {
            server.receive(now, packet);
        }
        for packet in due(&mut server) {
            client.receive(now, packet);
        }
        for end in [&mut client, &mut server] {
            if step >= 400 {
                let Some((_, connection)) = end.connection.as_mut() else { continue };
                let has_begun = step >= 8000;
                let payload = if has_begun { PAYLOAD } else { 1000 };
                if has_begun {
                    end.lowest_mtu = end.lowest_mtu.min(connection.stats().path.current_mtu);
                }
                sent += 1;
                match connection.datagrams().send(Bytes::from(vec![0; payload]), true) {
                    Ok(()) => {}
                    Err(SendDatagramError::TooLarge) => too_large += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            end.turn(now);
        }
    }
    let mut verdicts = 0;
    for (name, end) in [("client", &client), ("server", &server)] {
        let path = end.connection.as_ref().unwrap().1.stats().path;
        println!(
            "{name}: lost in bursts {}, largest packet {}, black holes {}, lowest MTU {}",
            end.way.lost, end.largest, path.black_holes_detected, end.lowest_mtu
        );
        verdicts += path.black_holes_detected;
    }
    println!("quinn-proto 0.11.19, datagrams of {PAYLOAD} bytes: {sent} sent, {too_large} refused as too large");
    if verdicts == 0 || too_large == 0 {
        println!("CHANGED: bursts of loss are not taken for a smaller MTU");
        std::process::exit(1);
    }
    println!("seen    bursts of loss lower the MTU, although the path carries every size");
}
RUST
cd "$folder"
cargo run --quiet
