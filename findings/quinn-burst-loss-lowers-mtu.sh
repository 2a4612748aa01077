#!/usr/bin/env bash
# quinn-proto takes bursts of loss for a smaller path MTU where the loss thresholds are wide, as for a path that reorders (RFC 9002 §6.1
# lets them be). Datagrams of one size go both ways over a path that carries every size and loses 1 % in bursts of five. Then an end
# lowers its MTU to 1200 and refuses every datagram of 1316 bytes until it looks again, a minute later. It compares the sizes of packets
# to the byte, and those of one flow differ by the ACK that travels with them. Expected: packets lost that were no larger than others that
# arrived are no sign of a smaller MTU. (Adit builds the crate with a patch.) In virtual time, so it sends nothing. Needs cargo and a C
# compiler.
source "$(dirname "$0")/lib/with-quinn.sh"
run_rust <<'RUST'
mod pair;

use std::time::{Duration, Instant};

use bytes::Bytes;
use pair::{Path, Random};
use quinn_proto::{SendDatagramError, TransportConfig};

const PAYLOAD: usize = 1316;

/// Loses packets in bursts of five on average (Gilbert's model), whatever their size.
fn bursts(seed: u64) -> Path {
    let mut random = Random(seed);
    let mut is_losing = false;
    Box::new(move || {
        is_losing = if is_losing { random.share() >= 0.2 } else { random.share() < 0.002 };
        (!is_losing).then_some(Duration::from_millis(20))
    })
}

fn main() {
    let mut transport = TransportConfig::default();
    // A path that reorders: RFC 9002 §6.1 lets both thresholds be wider.
    transport.packet_threshold(256).time_threshold(2.0).keep_alive_interval(Some(Duration::from_secs(1)));
    let start = Instant::now();
    let (mut client, mut server) = pair::pair(transport, bursts(104_729), bursts(7919), start);
    // Steps in which an end refused its datagram, and the longest row of them.
    let mut refused = [0u32; 2];
    let mut longest = 0;
    // Half a millisecond a step, 120 s in all. The flow begins small, until the path's MTU has been found.
    for step in 400..240_000u32 {
        let now = start + Duration::from_micros(500) * step;
        for (end, row) in [&mut client, &mut server].into_iter().zip(&mut refused) {
            let Some(connection) = end.connection() else { continue };
            let has_begun = step >= 8000;
            let payload = if has_begun { PAYLOAD } else { 1000 };
            match connection.datagrams().send(Bytes::from(vec![0; payload]), true) {
                Ok(()) => *row = 0,
                Err(SendDatagramError::TooLarge) => *row += 1,
                // Before the handshake is over.
                Err(SendDatagramError::UnsupportedByPeer) if !has_begun => continue,
                Err(error) => panic!("{error}"),
            }
            longest = longest.max(*row);
        }
        pair::turn(&mut client, &mut server, now);
    }
    let mut verdicts = 0;
    for (name, end) in [("client", &mut client), ("server", &mut server)] {
        let path = end.connection().unwrap().stats().path;
        println!(
            "{name}: lost in bursts {}, largest packet {}, black holes {}, MTU in the end {}",
            end.lost, end.largest, path.black_holes_detected, path.current_mtu
        );
        verdicts += path.black_holes_detected;
    }
    println!("datagrams of {PAYLOAD} bytes were refused for {} s at a stretch", longest / 2000);
    if verdicts == 0 || longest == 0 {
        println!("CHANGED: bursts of loss are not taken for a smaller MTU");
        std::process::exit(1);
    }
    println!("seen    bursts of loss lower the MTU, although the path carries every size");
}
RUST
