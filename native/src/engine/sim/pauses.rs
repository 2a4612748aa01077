//! When a process gets no time. On a busy machine each event loop stands still now and then.

use std::time::{Duration, Instant};

use super::{LARGE, Net, SENDER, path::Dice, settings};

const SHORTEST: Duration = Duration::from_millis(20);

/// Pauses at random times; the same seed gives the same ones.
pub struct Pauses {
    dice: Dice,
    every: Duration,
    longest: Duration,
    begins: Instant,
    ends: Instant,
}

impl Pauses {
    /// One in each `every`, as a mean, from 20 ms up to `longest`.
    pub fn new(every: Duration, longest: Duration, seed: u64, now: Instant) -> Self {
        let mut pauses = Self { dice: Dice::new(seed), every, longest, begins: now, ends: now };
        pauses.advance();
        pauses
    }

    /// The next one begins some time after the present one has ended.
    pub fn advance(&mut self) {
        self.begins = self.ends + self.every.mul_f64(0.5 + self.dice.roll());
        self.ends = self.begins + SHORTEST + (self.longest - SHORTEST).mul_f64(self.dice.roll());
    }

    /// When the present one ends, or the next one begins.
    pub fn turns(&self, is_paused: bool) -> Instant {
        if is_paused { self.ends } else { self.begins }
    }

    /// When a process passes on what comes at `at`.
    pub fn passes(&mut self, at: Instant) -> Instant {
        while at >= self.ends {
            self.advance();
        }
        if at >= self.begins { self.ends } else { at }
    }
}

impl Net {
    /// The process gets no time until `resume`.
    pub fn stop(&mut self, core: usize) {
        self.stopped[core] = Some(Vec::new());
    }

    pub fn resume(&mut self, core: usize) {
        let waiting = self.stopped[core].take().unwrap_or_default();
        let now = self.now;
        let old = |since: Instant| now.duration_since(since) >= settings().datagram_queue_age;
        self.excused += waiting.iter().filter(|flight| flight.bytes.len() >= LARGE && old(flight.at)).count();
        if core == SENDER {
            self.excused += std::mem::take(&mut self.made).into_iter().filter(|&made| old(made)).count();
        }
        for flight in waiting {
            self.receive(flight);
        }
        self.turn(core);
    }

    pub fn next_pause(&self) -> Option<(Instant, usize)> {
        let pauses = self.pauses.iter().zip(&self.stopped).enumerate();
        pauses.filter_map(|(core, (pauses, stopped))| Some((pauses.as_ref()?.turns(stopped.is_some()), core))).min()
    }

    pub fn turn_pause(&mut self, core: usize) {
        if self.stopped[core].is_none() {
            return self.stop(core);
        }
        if let Some(pauses) = &mut self.pauses[core] {
            pauses.advance();
        }
        self.resume(core);
    }
}
