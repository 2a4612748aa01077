#!/usr/bin/env bash
# quinn-proto makes table space for every stream that a peer may open when the connection begins. With the usual limit of 1024 a new
# connection costs 99 KB, with 8 it costs 13 KB, and no stream is open in either. Expected: a limit is a number, and a stream costs when it
# is opened. (Adit starts with 32 and raises the limit when a peer opens its second stream.) Needs cargo and a C compiler.
source "$(dirname "$0")/lib/with-quinn.sh"
run_rust <<'RUST'
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use quinn_proto::*;

struct Counting;
static LIVE: AtomicIsize = AtomicIsize::new(0);
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that are allocated for one server connection more, without a stream, when peers may open `streams`.
fn bytes_per_connection(streams: u32) -> isize {
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(streams.into()).max_concurrent_uni_streams(0u32.into());
    let certified = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let der = certified.cert.der().clone();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()).into();
    let mut server_config = ServerConfig::with_single_cert(vec![der.clone()], key).unwrap();
    server_config.transport_config(Arc::new(transport));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der).unwrap();
    let client_config = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    let config = Arc::new(EndpointConfig::default());
    let mut server = Endpoint::new(config.clone(), Some(Arc::new(server_config)), true, None);
    let mut client = Endpoint::new(config, None, true, None);
    let server_at: SocketAddr = "127.0.0.1:4433".parse().unwrap();
    let client_at: SocketAddr = "127.0.0.1:40000".parse().unwrap();
    let now = Instant::now();
    let (_, mut near) = client.connect(now, client_config, server_at, "localhost").unwrap();
    let mut far: Option<Connection> = None;
    let mut taken = 0;
    for _ in 0..20 {
        let mut buffer = Vec::new();
        while let Some(sent) = near.poll_transmit(now, 1, &mut buffer) {
            let packet = BytesMut::from(&buffer[..sent.size]);
            buffer.clear();
            let before = LIVE.load(Ordering::Relaxed);
            match server.handle(now, client_at, None, None, packet, &mut buffer) {
                Some(DatagramEvent::NewConnection(incoming)) => {
                    far = Some(server.accept(incoming, now, &mut buffer, None).unwrap().1);
                    taken = LIVE.load(Ordering::Relaxed) - before;
                }
                Some(DatagramEvent::ConnectionEvent(_, event)) => far.as_mut().unwrap().handle_event(event),
                _ => {}
            }
            buffer.clear();
        }
        if let Some(connection) = far.as_mut() {
            while let Some(sent) = connection.poll_transmit(now, 1, &mut buffer) {
                let packet = BytesMut::from(&buffer[..sent.size]);
                buffer.clear();
                let mut answer = Vec::new();
                if let Some(DatagramEvent::ConnectionEvent(_, event)) =
                    client.handle(now, server_at, None, None, packet, &mut answer)
                {
                    near.handle_event(event);
                }
            }
        }
    }
    assert!(!near.is_handshaking() && !far.as_ref().unwrap().is_handshaking());
    taken
}

fn main() {
    let few = bytes_per_connection(8);
    let many = bytes_per_connection(1024);
    println!("bytes of a new server connection: {few} with max_concurrent_bidi_streams 8, {many} with 1024");
    if many < 2 * few {
        println!("CHANGED: the limit on streams no longer decides what an idle connection costs");
        std::process::exit(1);
    }
    println!("seen    the limit decides, although no stream was opened");
}
RUST
