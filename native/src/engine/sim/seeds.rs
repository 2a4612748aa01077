//! The law under many seeds, from the first packet on, also where processes or the path pause. A live flow must lose
//! what the path loses, and no more. `SIM_SEEDS=100 cargo test --release seeds::` runs as many seeds of each cell.

use std::time::Duration;

use super::{Net, path::Faults, pauses::Pauses};

const RATE: u32 = 380;
const BYTES: usize = 1332 + 44;
const PHASE: Duration = Duration::from_secs(2);
const PHASES: usize = 6;
/// Between the bind and the first datagram.
const IDLE: Duration = ms(4000);
const FEW_SEEDS: u64 = 2;
/// Of what the path carries: without pauses, and with them.
const LEAST: f64 = 0.99;
const LEAST_WHEN_BUSY: f64 = 0.96;
/// A path that becomes longer and one that is full look alike for a second (docs/media-paths.md, what is weak).
const LEAST_WHEN_CHANGING: f64 = 0.6;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// What pauses now and then.
#[derive(Clone, Copy, Debug)]
enum Busy {
    Nobody,
    /// Both edges and the relay.
    Processes,
    /// What the path is made of.
    Path,
}

const EVERY: Duration = ms(1500);
const LONGEST: Duration = ms(200);

impl Busy {
    fn least(self, phases: usize) -> f64 {
        match self {
            _ if phases > 1 => LEAST_WHEN_CHANGING,
            Self::Nobody => LEAST,
            Self::Processes | Self::Path => LEAST_WHEN_BUSY,
        }
    }

    fn begin(self, net: &mut Net, seed: u64) {
        let pauses = |number| Some(Pauses::new(EVERY, LONGEST, 8 * seed + number, net.now));
        match self {
            Self::Nobody => {}
            Self::Processes => net.pauses = [pauses(1), pauses(2), pauses(3)],
            // One program carries both directions.
            Self::Path => (net.down[1].pauses, net.up[1].pauses) = (pauses(4), pauses(4)),
        }
    }
}

/// Conditions of the receiver's path, each for two seconds, then the first again.
type Cell = (&'static str, Vec<Faults>);

fn cells() -> Vec<Cell> {
    let path = Faults { delay: ms(20), ..Faults::default() };
    let loses = |loss| vec![Faults { loss, ..path }];
    let burst = Some((0.002, 0.2));
    let scatter = ms(30);
    let reorder = Some((0.02, ms(15)));
    let changing = [
        Faults { loss: 0.01, ..path },
        Faults { delay: ms(40), scatter, ..path },
        Faults { delay: ms(10), reorder, ..path },
        Faults { delay: ms(30), burst, ..path },
    ];
    vec![
        ("loss 1 %", loses(0.01)),
        ("loss 2 %", loses(0.02)),
        ("loss 5 %", loses(0.05)),
        ("loss 10 %", loses(0.10)),
        ("bursts", vec![Faults { burst, ..path }]),
        ("jitter 30 ms", vec![Faults { scatter, ..path }]),
        ("2 % reordered", vec![Faults { reorder, ..path }]),
        ("changing", changing.to_vec()),
    ]
}

/// The share of what the path let through that arrived, or was made too old by a stopped process.
fn share(phases: &[Faults], busy: Busy, seed: u64) -> (f64, String) {
    let near = Faults { delay: Duration::from_micros(100), ..Faults::default() };
    let mut net = Net::over(near, phases[0], 4 * seed);
    net.run(IDLE);
    busy.begin(&mut net, seed);
    net.begin_count();
    for faults in phases.iter().cycle().take(PHASES) {
        (net.down[1].faults, net.up[1].faults) = (*faults, *faults);
        net.send(RATE, BYTES, PHASE);
    }
    net.run(ms(1000));
    let sent = f64::from(RATE) * PHASE.as_secs_f64() * PHASES as f64;
    let path = &net.down[1];
    let carried = path.carried as f64 / (path.carried + path.lost) as f64;
    let arrived = net.delivered.len() as f64 / carried + net.excused as f64;
    let ledgers = format!("{:?} {:?}", net.local.totals(), net.ledger.totals());
    let stats = net.leg(2).quic.stats().path;
    (arrived / sent, format!("excused {}, {ledgers}, black holes {}", net.excused, stats.black_holes_detected))
}

fn seeds() -> u64 {
    std::env::var("SIM_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(FEW_SEEDS)
}

fn every_seed_of_every_cell(busy: Busy) {
    let mut poor = Vec::new();
    for (name, phases) in cells() {
        let mut shares = Vec::new();
        for seed in 1..=seeds() {
            let (share, account) = share(&phases, busy, seed);
            shares.push(share);
            if share < busy.least(phases.len()) {
                poor.push(format!("{name}, seed {seed}: {share:.4}; {account}"));
            }
        }
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        println!("{busy:?} {name}: least {least:.4}, mean {mean:.4}");
    }
    assert!(poor.is_empty(), "{busy:?}: {} runs\n{}", poor.len(), poor.join("\n"));
}

#[test]
fn nothing_is_lost_beyond_what_the_path_loses() {
    every_seed_of_every_cell(Busy::Nobody);
}

#[test]
fn nothing_more_is_lost_when_processes_stand_still() {
    every_seed_of_every_cell(Busy::Processes);
}

#[test]
fn nothing_more_is_lost_when_the_path_stands_still() {
    every_seed_of_every_cell(Busy::Path);
}
