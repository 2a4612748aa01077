//! The path MTU of connections whose path loses from the start: loss is not taken for a path that carries less.

use std::time::Duration;

use super::{Net, SENDER, path::Faults};

const RATE: u32 = 380;
const BYTES: usize = 1332 + 44;
const IDLE: Duration = Duration::from_secs(4);
const TIME: Duration = Duration::from_secs(8);

/// How often an edge gives up the MTU of a path with these faults while it sends.
fn verdicts(rate: u32, faults: Faults, seed: u64) -> u64 {
    let near = Faults { delay: Duration::from_micros(100), ..Faults::default() };
    let mut net = Net::over(faults, near, seed);
    net.run(IDLE);
    let before = net.edge(SENDER).quic.stats().path.black_holes_detected;
    net.send(rate, BYTES, TIME);
    net.edge(SENDER).quic.stats().path.black_holes_detected - before
}

fn burst(delay: u64, begins: f64, ends: f64) -> Faults {
    Faults { delay: Duration::from_millis(delay), burst: Some((begins, ends)), ..Faults::default() }
}

fn loss(delay: u64, loss: f64) -> Faults {
    Faults { delay: Duration::from_millis(delay), loss, ..Faults::default() }
}

#[test]
fn loss_is_no_smaller_mtu() {
    let cells = [
        (RATE, burst(20, 0.002, 0.2)),
        (RATE, burst(20, 0.004, 0.1)),
        (2000, burst(20, 0.002, 0.2)),
        (RATE, loss(20, 0.05)),
        (RATE, loss(20, 0.1)),
        (2000, loss(20, 0.05)),
        (2000, loss(40, 0.1)),
    ];
    for (rate, faults) in cells {
        for seed in 100..120 {
            let found = verdicts(rate, faults, seed);
            assert_eq!(found, 0, "{rate}/s, loss {}, bursts {:?}, seed {seed}", faults.loss, faults.burst);
        }
    }
}

#[test]
fn a_path_that_carries_less_is_noticed_and_so_is_one_that_carries_more_again() {
    let mut net = Net::new(Duration::from_millis(20));
    let small = |net: &mut Net| {
        for _ in 0..100 {
            net.send(RATE, BYTES, Duration::from_millis(20));
            net.send_one(200);
        }
    };
    small(&mut net);
    assert_eq!(net.edge(SENDER).quic.current_mtu(), 1452);
    net.up[0].faults.largest = Some(1300);
    small(&mut net);
    assert!(net.edge(SENDER).quic.current_mtu() <= 1300);
    net.up[0].faults.largest = None;
    for _ in 0..8 {
        small(&mut net);
    }
    assert_eq!(net.edge(SENDER).quic.current_mtu(), 1452);
}

#[test]
fn an_mtu_is_found_though_probes_are_lost() {
    for seed in 100..120 {
        let mut net = Net::over(loss(20, 0.1), loss(20, 0.1), seed);
        net.run(IDLE);
        assert_eq!(net.edge(SENDER).quic.current_mtu(), 1452, "seed {seed}");
    }
}
