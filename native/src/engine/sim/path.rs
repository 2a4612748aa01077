//! One direction of a network in virtual time: computes when a packet arrives, if it does. The same seed gives the same
//! losses and delays.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::pauses::Pauses;

/// xorshift64*: the sequence is the seed's, on every machine.
#[derive(Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 0 up to 1.
    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[derive(Clone, Copy, Default)]
pub struct Faults {
    /// Chance of a packet to be lost.
    pub loss: f64,
    /// Chance that a burst of losses begins with a packet, and that it ends with one (Gilbert).
    pub burst: Option<(f64, f64)>,
    pub delay: Duration,
    /// Added, evenly spread from 0; packets stay in order.
    pub jitter: Duration,
    /// The same, and packets pass each other.
    pub scatter: Duration,
    /// Chance of a packet to be held back by so much.
    pub reorder: Option<(f64, Duration)>,
    /// Bytes a second, and how much time's worth of them may wait.
    pub bottleneck: Option<(f64, Duration)>,
    /// Larger UDP payloads are lost.
    pub largest: Option<usize>,
    pub cut: bool,
}

pub struct Path {
    pub faults: Faults,
    dice: Dice,
    in_burst: bool,
    free_at: Instant,
    last_arrival: Instant,
    /// Of what the path is made of, a program for instance.
    pub pauses: Option<Pauses>,
    pub carried: u64,
    pub lost: u64,
}

/// IP and UDP headers, which a bottleneck carries too.
const HEADERS: usize = 28;

impl Path {
    pub fn new(faults: Faults, seed: u64, now: Instant) -> Self {
        let dice = Dice::new(seed);
        Self { faults, dice, in_burst: false, free_at: now, last_arrival: now, pauses: None, carried: 0, lost: 0 }
    }

    pub fn arrival(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let arrival = self.fate(now, bytes);
        let arrival = arrival.map(|at| self.pauses.as_mut().map_or(at, |pauses| pauses.passes(at)));
        match arrival {
            Some(_) => self.carried += 1,
            None => self.lost += 1,
        }
        arrival
    }

    fn fate(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let faults = self.faults;
        if faults.cut || faults.largest.is_some_and(|largest| bytes > largest) {
            return None;
        }
        if let Some((begins, ends)) = faults.burst {
            let chance = if self.in_burst { 1.0 - ends } else { begins };
            self.in_burst = self.dice.roll() < chance;
        }
        if self.in_burst || (faults.loss > 0.0 && self.dice.roll() < faults.loss) {
            return None;
        }
        let mut at = now;
        if let Some((rate, buffer)) = faults.bottleneck {
            let begins = self.free_at.max(now);
            if begins.duration_since(now) > buffer {
                return None;
            }
            self.free_at = begins + Duration::from_secs_f64((bytes + HEADERS) as f64 / rate);
            at = self.free_at;
        }
        at += faults.delay;
        if !faults.jitter.is_zero() {
            at = (at + faults.jitter.mul_f64(self.dice.roll())).max(self.last_arrival);
        }
        if let Some((chance, by)) = faults.reorder
            && self.dice.roll() < chance
        {
            return Some(at + by);
        }
        self.last_arrival = at;
        if !faults.scatter.is_zero() {
            at += faults.scatter.mul_f64(self.dice.roll());
        }
        Some(at)
    }
}

/// A bulk flow of TCP's kind (CUBIC, RFC 9438) on the same bottleneck: packets of 1500 bytes, acknowledged one by one.
pub struct Bulk {
    window: f64,
    threshold: f64,
    highest: f64,
    reduced: Instant,
    /// When each packet in flight is acknowledged, or known to be lost.
    flight: VecDeque<(Instant, Instant, bool)>,
    pub delivered: u64,
}

impl Bulk {
    const SEGMENT: usize = 1472;

    pub fn new(now: Instant) -> Self {
        Self {
            window: 10.0,
            threshold: f64::INFINITY,
            highest: 10.0,
            reduced: now,
            flight: VecDeque::new(),
            delivered: 0,
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.flight.iter().map(|&(at, _, _)| at).min()
    }

    pub fn turn(&mut self, path: &mut Path, back: Duration, now: Instant) {
        let due: Vec<_> = self.flight.iter().copied().filter(|&(at, _, _)| at <= now).collect();
        self.flight.retain(|&(at, _, _)| at > now);
        for (_, sent, arrived) in due {
            if arrived { self.acked(sent, now) } else { self.lost(sent, now) }
        }
        while (self.flight.len() as f64) < self.window {
            let (at, arrived) = match path.arrival(now, Self::SEGMENT) {
                Some(at) => (at + back, true),
                // Three later packets reveal the loss.
                None => (path.free_at.max(now) + path.faults.delay + back + Duration::from_millis(3), false),
            };
            self.flight.push_back((at, now, arrived));
        }
    }

    fn acked(&mut self, sent: Instant, now: Instant) {
        self.delivered += Self::SEGMENT as u64;
        if self.window < self.threshold {
            self.window += 1.0;
            return;
        }
        let round_trip = now.duration_since(sent).as_secs_f64().max(1e-3);
        let t = now.duration_since(self.reduced).as_secs_f64();
        let k = (self.highest * 0.3 / 0.4).cbrt();
        let cubic = 0.4 * (t + round_trip - k).powi(3) + self.highest;
        let reno = self.highest * 0.7 + 3.0 * 0.3 / 1.7 * t / round_trip;
        let target = cubic.max(reno).clamp(self.window, 1.5 * self.window);
        self.window += (target - self.window) / self.window;
    }

    fn lost(&mut self, sent: Instant, now: Instant) {
        if sent <= self.reduced {
            return;
        }
        self.highest = self.window;
        self.window = (self.window * 0.7).max(2.0);
        self.threshold = self.window;
        self.reduced = now;
    }
}
