//! Bulk data in a stream from the relay to the receiver, whose window alone limits it.

use std::time::Duration;

use quinn_proto::{Dir, StreamId};

use super::{Net, RECEIVER, RELAY, path::Faults, pauses::Pauses};
use crate::engine::streams::ReadOutcome;

const PIECE: usize = 64 * 1024;

pub struct Transfer {
    stream: StreamId,
    /// Bytes that the receiver read.
    read: u64,
}

impl Net {
    pub fn begin_transfer(&mut self) {
        let stream = self.leg(RECEIVER).open_stream(Dir::Bi).expect("a stream");
        self.transfer = Some(Transfer { stream, read: 0 });
        self.write_on();
        self.turn(RELAY);
    }

    pub fn transferred(&self) -> u64 {
        self.transfer.as_ref().map_or(0, |transfer| transfer.read)
    }

    /// After a turn of the relay: the stream always has something to send.
    pub fn write_on(&mut self) {
        let Some(stream) = self.transfer.as_ref().map(|transfer| transfer.stream) else { return };
        let id = self.legs[RECEIVER - 1];
        let Some((slot, connection)) = self.cores[RELAY].live(id) else { return };
        if connection.queued_bytes(stream) < PIECE {
            connection.write(stream, &[0; PIECE]);
            self.cores[RELAY].mark_dirty(slot);
        }
    }

    /// After a turn of the receiver: it reads what came.
    pub fn read_on(&mut self) {
        let Some(transfer) = &mut self.transfer else { return };
        let Some((slot, connection)) = self.cores[RECEIVER].live(self.dialled[RECEIVER - 1]) else { return };
        if !connection.streams.contains_key(&transfer.stream) {
            return;
        }
        let before = transfer.read;
        while let ReadOutcome::Data(bytes) = connection.read(transfer.stream, PIECE) {
            transfer.read += bytes.len() as u64;
        }
        if transfer.read > before {
            self.cores[RECEIVER].mark_dirty(slot);
        }
    }
}

const RATE: u32 = 380;
const BYTES: usize = 1332 + 44;
const MEDIA: f64 = RATE as f64 * (BYTES + 38 + 28) as f64;
const MEGABIT: f64 = 125_000.0;
const START: Duration = ms(2000);
const TIME: Duration = ms(8000);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

struct Outcome {
    /// Bytes of the stream, each second.
    rate: f64,
    /// Packets that were lost, of those that the path was given.
    lost: f64,
    /// Datagrams that arrived, of those that the path let through.
    media: f64,
    delay: Duration,
}

/// A stream, and `rate` datagrams a second beside it, over the receiver's path.
fn transfer(faults: Faults, rate: u32) -> Outcome {
    let mut net = Net::new(faults.delay);
    net.down[1].faults = faults;
    net.up[1].faults = Faults { bottleneck: None, ..faults };
    net.begin_transfer();
    net.send(rate, BYTES, START);
    net.begin_count();
    let before = net.transferred();
    net.send(rate, BYTES, TIME);
    let seconds = TIME.as_secs_f64();
    let path = &net.down[1];
    let lost = path.lost as f64 / (path.carried + path.lost) as f64;
    let outcome = Outcome {
        rate: (net.transferred() - before) as f64 / seconds,
        lost,
        media: net.delivered.len() as f64 / (f64::from(rate) * seconds * (1.0 - lost)),
        delay: net.quantile(0.99),
    };
    println!(
        "stream {:.2} Mbit/s, lost {:.4}, media {:.4} p99 {:?}, window {}",
        outcome.rate / MEGABIT,
        outcome.lost,
        outcome.media,
        outcome.delay,
        net.leg(RECEIVER).quic.stats().path.cwnd,
    );
    outcome
}

fn narrow(round_trip: Duration, rate: f64, buffer: Duration) -> Faults {
    Faults { delay: round_trip / 2, bottleneck: Some((rate, buffer)), ..Faults::default() }
}

#[test]
fn a_stream_gives_way_to_a_buffer_that_overflows() {
    // The first is a socket's buffer on one machine: what a receiver takes is the bottleneck.
    for (round_trip, rate, buffer) in [
        (Duration::from_micros(100), 500.0 * MEGABIT, ms(3)),
        (ms(10), 50.0 * MEGABIT, ms(5)),
        (ms(40), 20.0 * MEGABIT, ms(10)),
        (ms(40), 20.0 * MEGABIT, ms(100)),
    ] {
        print!("rtt {round_trip:?} buffer {buffer:?}: ");
        let outcome = transfer(narrow(round_trip, rate, buffer), 0);
        assert!(outcome.lost < 0.02, "{}", outcome.lost);
        assert!(outcome.rate > 0.85 * rate, "{}", outcome.rate / rate);
    }
}

#[test]
fn a_stream_gets_through_random_loss() {
    // CUBIC alone gets 6, 1.3 and 3 Mbit/s.
    for (round_trip, loss, least) in [(ms(40), 0.01, 12.0), (ms(40), 0.05, 4.0), (ms(100), 0.01, 6.0)] {
        print!("rtt {round_trip:?} loss {loss}: ");
        let faults = Faults { loss, ..narrow(round_trip, 100.0 * MEGABIT, ms(50)) };
        let outcome = transfer(faults, 0);
        assert!(outcome.rate > least * MEGABIT, "{}", outcome.rate / MEGABIT);
    }
}

/// The path of `npm run bench -- --paths --streams`.
fn bench_path(round_trip: Duration, loss: f64) -> Faults {
    Faults { loss, ..narrow(round_trip, 40.0 * MEGABIT, ms(40)) }
}

#[test]
fn a_stream_fills_a_path_that_loses() {
    for (round_trip, loss) in [(ms(40), 0.0), (ms(40), 0.01), (ms(40), 0.05), (ms(80), 0.003)] {
        print!("rtt {round_trip:?} loss {loss}: ");
        let outcome = transfer(bench_path(round_trip, loss), 0);
        assert!(outcome.rate > 0.6 * 40.0 * MEGABIT, "{}", outcome.rate / MEGABIT);
    }
}

/// What a stream carries in a second, after some seconds over a path that was worse or where processes stand still.
fn later(path: Faults, before: Faults, pauses: Option<Duration>, seed: u64) -> f64 {
    let mut net = Net::over(Faults { delay: Duration::from_micros(100), ..Faults::default() }, path, 8 * seed);
    net.run(START);
    (net.down[1].faults, net.up[1].faults) = (before, Faults { bottleneck: None, ..before });
    net.begin_transfer();
    if let Some(longest) = pauses {
        net.pauses = [1, 2, 3].map(|number| Some(Pauses::new(ms(300), longest, 8 * seed + number, net.now)));
    }
    net.run(ms(3000));
    (net.down[1].faults, net.up[1].faults) = (path, Faults { bottleneck: None, ..path });
    net.run(ms(2000));
    let begun = net.transferred();
    net.run(ms(6000));
    (net.transferred() - begun) as f64 / 6.0
}

#[test]
fn a_stream_is_back_two_seconds_after_bad_luck() {
    for (loss, seed) in [(0.0, 1), (0.01, 2), (0.01, 3), (0.02, 4)] {
        let path = bench_path(ms(40), loss);
        let rate = later(path, Faults { loss: 0.3, ..path }, None, seed);
        println!("loss {loss}, seed {seed}: {:.2} Mbit/s", rate / MEGABIT);
        assert!(rate > 0.6 * 40.0 * MEGABIT, "{}", rate / MEGABIT);
    }
}

#[test]
fn a_stream_gets_through_random_loss_where_processes_stand_still() {
    for longest in [ms(40), ms(80)] {
        for seed in 1..5 {
            let path = bench_path(ms(40), 0.01);
            let rate = later(path, path, Some(longest), seed);
            println!("pauses up to {longest:?}, seed {seed}: {:.2} Mbit/s", rate / MEGABIT);
            assert!(rate > 0.3 * 40.0 * MEGABIT, "{}", rate / MEGABIT);
        }
    }
}

#[test]
fn neither_a_stream_nor_datagrams_beside_it_starve() {
    for (round_trip, buffer) in [(ms(10), ms(50)), (ms(40), ms(50)), (ms(40), ms(300)), (ms(100), ms(50))] {
        for loss in [0.0, 0.01] {
            print!("rtt {round_trip:?} buffer {buffer:?} loss {loss}: ");
            let rate = 20.0 * MEGABIT;
            let outcome = transfer(Faults { loss, ..narrow(round_trip, rate, buffer) }, RATE);
            assert!(outcome.media > 0.97, "{}", outcome.media);
            assert!(outcome.delay < round_trip / 2 + ms(100), "{:?}", outcome.delay);
            assert!(outcome.rate > 0.2 * (rate - MEDIA), "{}", outcome.rate / (rate - MEDIA));
        }
    }
}
