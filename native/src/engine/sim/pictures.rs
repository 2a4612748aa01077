//! Video as an encoder makes it: a packet burst for each picture, a longer one each second, and what was lost once more
//! (SRT). Jitter and bursts together are no full path.

use std::time::Duration;

use super::{Net, RECEIVER, path::Faults, pauses::Pauses};

const BYTES: usize = 1332 + 44;
const PICTURES: u32 = 25;
/// The first picture of each second is as long as so many others.
const KEY_PICTURE: u32 = 6;
const ROUND_TRIP: Duration = ms(80);
const JITTER: Duration = ms(20);
const TIME: u32 = 20;
/// Where processes stand still, each of them does as often, for so long at most.
const NOW_AND_THEN: Duration = ms(1000);
const OFTEN: Duration = ms(400);
const LONGEST: Duration = ms(120);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Net {
    /// A second of pictures with `rate` packets. Returns at how many of them the path was taken for full.
    fn send_pictures(&mut self, rate: u32) -> u32 {
        let mut full = 0;
        let packets = rate / (PICTURES + KEY_PICTURE - 1);
        let start = self.now;
        for picture in 0..PICTURES {
            self.run_until(start + Duration::from_secs(1) * picture / PICTURES);
            for _ in 0..packets * if picture == 0 { KEY_PICTURE } else { 1 } {
                self.send_one(BYTES);
            }
            full += u32::from(self.leg(RECEIVER).gate.is_full());
        }
        self.run_until(start + Duration::from_secs(1));
        full
    }
}

/// The share of what the path let through that arrived, and of pictures that met a path that was taken for full.
fn share(rate: u32, faults: Faults, pauses: Option<Duration>, seed: u64) -> (f64, f64) {
    let near = Faults { delay: Duration::from_micros(100), ..Faults::default() };
    let mut net = Net::over(near, faults, 4 * seed);
    net.run(ms(4000));
    net.send_pictures(rate);
    net.send_pictures(rate);
    if let Some(every) = pauses {
        net.pauses = [1, 2, 3].map(|number| Some(Pauses::new(every, LONGEST, 8 * seed + number, net.now)));
    }
    net.begin_count();
    let full: u32 = (0..TIME).map(|_| net.send_pictures(rate)).sum();
    net.run(ms(500));
    let path = &net.down[1];
    let carried = path.carried as f64 / (path.carried + path.lost) as f64;
    let pictures = PICTURES + KEY_PICTURE - 1;
    let sent = rate / pictures * pictures * TIME;
    let arrived = net.delivered.len() as f64 / carried + net.excused as f64;
    (arrived / f64::from(sent), f64::from(full) / f64::from(TIME * PICTURES))
}

fn seeds(few: u64) -> u64 {
    std::env::var("SIM_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(few)
}

/// `least` must arrive in each run, and no more than `most` of the pictures meet a path that is taken for full.
fn every_seed_of_every_cell(pauses: Option<Duration>, few: u64, least: f64, most: f64) {
    for rate in [300, 800] {
        for loss in [0.0, 0.01, 0.02, 0.05] {
            let faults = Faults { delay: ROUND_TRIP / 2, scatter: JITTER, loss, ..Faults::default() };
            let shares: Vec<_> = (1..=seeds(few)).map(|seed| share(rate, faults, pauses, seed)).collect();
            let arrived = shares.iter().map(|share| share.0).fold(f64::INFINITY, f64::min);
            let full = shares.iter().map(|share| share.1).fold(0.0, f64::max);
            println!("{rate}/s, loss {loss}, pauses {pauses:?}: least {arrived:.4}, full {full:.3}");
            assert!(arrived > least, "{rate}/s, loss {loss}: {arrived}");
            assert!(full <= most, "{rate}/s, loss {loss}: {full}");
        }
    }
}

#[test]
fn bursts_over_a_path_with_jitter_and_loss_arrive() {
    every_seed_of_every_cell(None, 2, 0.98, 0.02);
}

#[test]
fn bursts_arrive_where_processes_stand_still() {
    every_seed_of_every_cell(Some(NOW_AND_THEN), 2, 0.95, 0.05);
}

/// In the fourth seed packets that came too late start a trial, though the path loses none.
#[test]
fn bursts_arrive_where_processes_stand_still_often() {
    every_seed_of_every_cell(Some(OFTEN), 4, 0.95, 0.3);
}
