//! Flows that begin where hardly anything was sent before, and the path has become longer meanwhile: a radio wakes up,
//! programs wait for a core. What pings met says nothing of what the path carries.

use std::time::Duration;

use super::{Net, RECEIVER, path::Faults};

const BYTES: usize = 1332 + 44;
const PING: usize = 60;
const RATES: [u32; 2] = [380, 1000];
const TIME: Duration = ms(3000);
const LEAST: f64 = 0.95;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn take_round_trip(net: &mut Net, round_trip: Duration) {
    let faults = Faults { delay: round_trip / 2, ..Faults::default() };
    (net.down[1].faults, net.up[1].faults) = (faults, faults);
}

/// The share that arrives of a flow that begins now.
fn share(net: &mut Net, rate: u32) -> f64 {
    net.begin_count();
    net.send(rate, BYTES, TIME);
    net.run(ms(500));
    net.delivered.len() as f64 / (f64::from(rate) * TIME.as_secs_f64())
}

#[test]
fn a_flow_begins_on_a_path_that_became_longer_in_a_silence() {
    for (before, after) in [(ms(4), ms(60)), (ms(4), ms(100)), (ms(40), ms(100)), (ms(80), ms(130))] {
        for rate in RATES {
            let mut net = Net::new(before / 2);
            net.run(ms(4000));
            take_round_trip(&mut net, after);
            let share = share(&mut net, rate);
            println!("{before:?} to {after:?}, {rate}/s: {share:.3}, {:?}", net.ledger.totals());
            assert!(share > LEAST, "{before:?} to {after:?}, {rate}/s: {share}");
        }
    }
}

#[test]
fn pings_do_not_fill_a_path() {
    for round_trips in [[4, 20, 40, 60, 80], [4, 60, 60, 60, 60], [4, 10, 60, 20, 90]] {
        for rate in RATES {
            let mut net = Net::new(ms(2));
            let mut full = 0;
            for round_trip in round_trips {
                take_round_trip(&mut net, ms(round_trip));
                for _ in 0..4 {
                    net.send(4, PING, ms(250));
                    full += u32::from(net.leg(RECEIVER).gate.is_full());
                }
            }
            let share = share(&mut net, rate);
            println!("{round_trips:?}, {rate}/s: full {full}, {share:.3}, {:?}", net.ledger.totals());
            assert_eq!(full, 0, "{round_trips:?}");
            assert!(share > LEAST, "{round_trips:?}, {rate}/s: {share}");
        }
    }
}

#[test]
fn a_flow_goes_on_after_breaks_on_a_path_that_becomes_longer() {
    for rate in RATES {
        let mut net = Net::new(ms(2));
        for round_trip in [10, 60, 4, 80, 110] {
            take_round_trip(&mut net, ms(round_trip));
            net.run(ms(1500));
            let share = share(&mut net, rate);
            println!("{round_trip} ms, {rate}/s: {share:.3}, {:?}", net.ledger.totals());
            assert!(share > LEAST, "{round_trip} ms, {rate}/s: {share}");
        }
    }
}
