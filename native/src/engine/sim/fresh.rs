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

/// The path MTU that the sender knows after `time` of a flow that fits into full packets alone.
fn mtu_after(net: &mut Net, time: Duration) -> u16 {
    net.send(RATE, BYTES, time);
    net.edge(SENDER).quic.current_mtu()
}

#[test]
fn datagrams_that_do_not_fit_have_a_larger_mtu_looked_for() {
    for (delay, loss_rate) in [(5, 0.0), (20, 0.0), (20, 0.05), (100, 0.003)] {
        for seed in 100..105 {
            let faults = loss(delay, loss_rate);
            let mut net = Net::over(faults, faults, seed);
            net.run(IDLE);
            for largest in [1392, 1252] {
                net.up[0].faults.largest = Some(largest);
                let small = mtu_after(&mut net, Duration::from_secs(10));
                assert!(
                    usize::from(small) <= largest,
                    "{small} of {largest}, {delay} ms, loss {loss_rate}, seed {seed}"
                );
                net.up[0].faults.largest = None;
                let mtu = mtu_after(&mut net, Duration::from_secs(1) + Duration::from_millis(40 * delay));
                assert_eq!(mtu, 1452, "after {largest}, {delay} ms, loss {loss_rate}, seed {seed}");
            }
        }
    }
}

/// An edge redials a relay that does not answer it for 3 to 4 s, and its pings go in packets beside datagrams.
#[test]
fn a_path_that_carries_less_is_noticed_soon_though_all_packets_are_full() {
    for (delay, loss_rate) in [(5, 0.0), (20, 0.0), (20, 0.05), (40, 0.01), (100, 0.003)] {
        for (rate, seed) in [(190, 100), (RATE, 101), (2000, 102)] {
            let faults = loss(delay, loss_rate);
            let mut net = Net::over(faults, faults, seed);
            net.run(IDLE);
            net.send(rate, BYTES, Duration::from_secs(2));
            net.up[0].faults.largest = Some(1252);
            let before = net.now;
            while net.edge(SENDER).quic.current_mtu() > 1252 && net.now - before < Duration::from_secs(20) {
                net.send(rate, BYTES, Duration::from_millis(100));
            }
            let took = net.now - before;
            println!("{delay} ms, loss {loss_rate}, {rate}/s: {took:?}");
            assert!(took <= Duration::from_millis(1000 + 10 * delay), "{took:?}");
        }
    }
}

#[test]
fn an_mtu_is_found_though_probes_are_lost() {
    for seed in 100..120 {
        let mut net = Net::over(loss(20, 0.1), loss(20, 0.1), seed);
        net.run(IDLE);
        assert_eq!(net.edge(SENDER).quic.current_mtu(), 1452, "seed {seed}");
    }
}
