#!/usr/bin/env bash
# quinn-proto drops packets of a long burst whose packets pass each other, although the path carries every one of them. It writes packet
# numbers of one byte while fewer than 128 packets wait for an acknowledgement, and its window against duplicates holds 129 packets. A path
# that delays each packet by 20 to 40 ms and loses none costs a burst of 150 datagrams 13 % and one of 300 more than half. A key picture of
# a fast stream is such a burst. Expected: what arrives intact comes out. (Adit builds the crate with a patch.) In virtual time, so it sends
# nothing. Needs cargo and a C compiler.
source "$(dirname "$0")/lib/with-quinn.sh"
run_rust <<'RUST'
mod pair;

use std::time::{Duration, Instant};

use bytes::Bytes;
use pair::{Path, Random};
use quinn_proto::TransportConfig;

const PAYLOAD: usize = 1100;

/// Delays each packet by 20 to 40 ms, so that packets of one moment pass each other. Loses none.
fn jitter(seed: u64) -> Path {
    let mut random = Random(seed);
    Box::new(move || Some(Duration::from_secs_f64(0.02 + 0.02 * random.share())))
}

fn main() {
    let mut now = Instant::now();
    let (mut client, mut server) = pair::pair(TransportConfig::default(), jitter(104_729), jitter(7919), now);
    let mut lost = 0;
    for burst in [100u64, 150, 300] {
        let (before, packets) = (server.datagrams_received, client.packets);
        // A millisecond a step; a burst every half second, the first one when the handshake is long over.
        for step in 0..5000u32 {
            now += Duration::from_millis(1);
            if step % 500 == 0 && step > 0 {
                for _ in 0..burst {
                    let payload = Bytes::from(vec![0; PAYLOAD]);
                    client.connection().unwrap().datagrams().send(payload, false).unwrap();
                }
            }
            pair::turn(&mut client, &mut server, now);
        }
        let (sent, arrived) = (9 * burst, server.datagrams_received - before);
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
