//! The law of `docs/media-paths.md`: how much may be in flight. Pure: it is given the time and what happened, and keeps
//! no clock.

use std::time::{Duration, Instant};

use super::{
    full::{Full, LONG_QUEUE, SHORT_QUEUE, Seen, Verdict},
    path::{Closed, LONGEST_INTERVAL, Path},
    share::Share,
    trial::{Answer, Trial},
};

/// In flight before anything is known, and at least: what a picture of 4 Mbit/s needs at once.
pub const INITIAL_WINDOW: u64 = 48 * 1200;
/// No rate and no round trip justify more.
const MAX_WINDOW: f64 = 64.0 * 1024.0 * 1024.0;
/// While the path carries what comes: twice the delivered rate over the round trip and this, so that a burst or a rise
/// is not held back.
const HEADROOM: f64 = 2.0;
const ALLOWANCE: Duration = Duration::from_millis(30);
/// Loss without a queue is tried at a lower rate from here: random loss stays, that of a full path with no buffer goes.
const HEAVY_LOSS: f64 = 0.08;
const BATCH_PACKETS: u64 = 6;
/// In flight, and in a second, whatever the path seems to carry.
const LEAST_PACKETS: u64 = 4;
const FIRST_TRIAL_WAIT: Duration = Duration::from_secs(10);
const LONGEST_TRIAL_WAIT: Duration = Duration::from_secs(60);

#[derive(Clone)]
enum Mode {
    /// The path carries what comes.
    Free { high: Option<High> },
    /// Sends no more than was delivered for a few round trips: does the loss go?
    Trial(Trial),
    /// The path is full, and only ours.
    Full(Full),
    /// The path is full, and another flow holds its queue.
    Share(Share),
}

#[derive(Clone)]
struct High {
    since: Instant,
    before: Duration,
    loss_before: f64,
}

#[derive(Clone)]
pub struct Law {
    mtu: u64,
    path: Path,
    mode: Mode,
    in_flight: u64,
    /// The most that was in flight in this interval.
    flown: u64,
    /// Slow start's part: what was acknowledged while the window was the limit.
    grown: u64,
    trial_after: Instant,
    trial_wait: Duration,
    /// The value that `window` returns; computed anew after each acknowledgement or loss.
    window: u64,
}

impl Law {
    pub fn new(mtu: u16, now: Instant) -> Self {
        Self {
            mtu: mtu.into(),
            path: Path::new(now),
            mode: Mode::Free { high: None },
            in_flight: 0,
            flown: 0,
            grown: INITIAL_WINDOW,
            trial_after: now,
            trial_wait: FIRST_TRIAL_WAIT,
            window: INITIAL_WINDOW,
        }
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    pub fn round_trip(&self) -> Duration {
        self.path.round_trip
    }

    /// The path carries less than the flow sends.
    pub fn is_full(&self) -> bool {
        matches!(self.mode, Mode::Full(_) | Mode::Share(_))
    }

    /// Bytes per second that datagrams may leave at; None where the window alone limits.
    pub fn pace(&self) -> Option<f64> {
        match &self.mode {
            Mode::Full(full) => Some(full.pace().max((LEAST_PACKETS * self.mtu) as f64)),
            Mode::Trial(trial) if trial.is_held_back() => Some(self.path.rates.peak(1)),
            _ => None,
        }
    }

    pub fn set_mtu(&mut self, mtu: u16) {
        self.mtu = mtu.into();
    }

    /// The answer is what an interval showed that a silence ended.
    pub fn sent(&mut self, now: Instant, bytes: u64) -> Option<Closed> {
        let closed = if self.in_flight == 0 { self.path.begins(self.mtu, now) } else { None };
        if let Some(closed) = &closed {
            self.turn(now, closed);
            self.window = self.justified();
        }
        self.in_flight += bytes;
        self.flown = self.flown.max(self.in_flight);
        if let Mode::Trial(trial) = &mut self.mode {
            trial.sent(bytes);
        }
        closed
    }

    /// Something waited for the window.
    pub fn limited(&mut self) {
        self.path.limited();
    }

    pub fn acked(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.path.acked(now, sent, bytes);
        if self.in_flight + 2 * self.mtu >= self.window {
            self.path.limited();
        }
        let (limited, round_trip) = (self.path.is_limited(), self.path.round_trip);
        match &mut self.mode {
            Mode::Free { .. } if limited => self.grown = (self.grown + bytes).min(MAX_WINDOW as u64),
            Mode::Trial(trial) => trial.acked(sent, bytes),
            Mode::Share(share) if limited => share.acked(sent, bytes, round_trip, now),
            _ => {}
        }
    }

    /// The end of a batch of acknowledgements. `in_flight` is what is left. The answer is what an interval showed that
    /// is over now.
    pub fn acks_end(&mut self, now: Instant, in_flight: u64) -> Option<Closed> {
        self.in_flight = in_flight;
        let closed = self.path.acks_end(self.mtu, now);
        if let Some(closed) = &closed {
            self.turn(now, closed);
        }
        self.window = self.justified();
        closed
    }

    pub fn lost(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
        self.path.lost(bytes);
        match &mut self.mode {
            Mode::Trial(trial) => trial.lost(sent, bytes),
            Mode::Share(share) => share.lost(sent, now),
            _ => {}
        }
        self.window = self.justified();
    }

    /// A router marked a packet: the path is full (RFC 9000 §13.4, RFC 3168).
    pub fn marked(&mut self, now: Instant, sent: Instant) {
        let is_slight = self.is_slight();
        match &mut self.mode {
            Mode::Share(share) => share.lost(sent, now),
            Mode::Free { .. } | Mode::Trial(_) if !is_slight => self.enter_full(now),
            Mode::Free { .. } | Mode::Trial(_) | Mode::Full(_) => {}
        }
        self.window = self.justified();
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> u64 {
        self.window
    }

    fn justified(&self) -> u64 {
        let Path { rates, round_trip, noise, .. } = &self.path;
        let over = |rate: f64, time: Duration| rate * time.as_secs_f64();
        // Lost packets count as in flight until they are known to be lost, about as long as a round trip.
        let losses = 1.0 + 2.0 * self.path.loss.min(0.5);
        // Acknowledgements come for several packets at once.
        let batch = (BATCH_PACKETS * self.mtu) as f64;
        let least = LEAST_PACKETS * self.mtu;
        let bytes = match &self.mode {
            Mode::Trial(trial) if trial.is_held_back() => {
                2.0 * losses * over(rates.peak(1), self.path.base() + *noise) + batch
            }
            Mode::Free { .. } | Mode::Trial(_) => {
                let justified = HEADROOM * losses * over(rates.peak(9), *round_trip + ALLOWANCE + *noise);
                return (justified.min(MAX_WINDOW) as u64).max(self.grown).max(INITIAL_WINDOW);
            }
            // The pace is what limits; in flight may be as much as it takes for as long as packets are.
            Mode::Full(full) => losses * over(full.pace(), self.path.mean) + batch,
            Mode::Share(share) => return share.window().max(least),
        };
        (bytes.min(MAX_WINDOW) as u64).max(least)
    }

    /// So little was in flight that no queue is ours. Round trips of pings show nothing of what the path carries.
    fn is_slight(&self) -> bool {
        self.flown <= LEAST_PACKETS * self.mtu
    }

    fn turn(&mut self, now: Instant, closed: &Closed) {
        self.change(now, closed);
        self.flown = self.in_flight;
    }

    fn change(&mut self, now: Instant, closed: &Closed) {
        if closed.stood_still {
            if let Mode::Trial(trial) = &mut self.mode {
                trial.doubt();
            }
            return;
        }
        match self.mode.clone() {
            Mode::Free { high } => self.while_free(now, high, closed),
            Mode::Trial(trial) => self.while_trial(now, trial),
            Mode::Full(full) => self.while_full(now, full, closed),
            Mode::Share(mut share) => {
                let verdict = share.turn(closed.floor, self.path.queue, now);
                self.mode = Mode::Share(share);
                match verdict {
                    Verdict::Foreign => {}
                    Verdict::Full => self.enter_full(now),
                    Verdict::Free => self.free(),
                    Verdict::Longer(floor) => self.believe_longer_path(floor, now),
                }
            }
        }
    }

    fn while_free(&mut self, now: Instant, high: Option<High>, closed: &Closed) {
        if !closed.limited {
            self.grown = (self.grown - self.grown / 32).max(INITIAL_WINDOW);
        }
        let Path { climb, losses, loss, round_trip, .. } = &self.path;
        if self.path.certain_queue() <= LONG_QUEUE || self.is_slight() {
            self.mode = Mode::Free { high: None };
            if *loss >= HEAVY_LOSS && losses.is_known(self.mtu) && now >= self.trial_after {
                self.mode = Mode::Trial(Trial::new(*loss, now));
            }
            return;
        }
        let Some(high) = high else {
            // What creeps up is a queue.
            if closed.limited || climb.is_steady() {
                return self.enter_full(now);
            }
            let high = High { since: now, before: closed.queue_before, loss_before: closed.loss_before };
            self.mode = Mode::Free { high: Some(high) };
            return;
        };
        // The first of these intervals may have begun before the step.
        let waited = now.duration_since(high.since) >= *round_trip + 2 * LONGEST_INTERVAL;
        let loses = *loss > high.loss_before + 0.02;
        if closed.limited || climb.is_steady() || (waited && loses) {
            self.enter_full(now);
        } else if waited {
            // A step that stays is a longer path, what crept up is a queue.
            if high.before <= SHORT_QUEUE {
                self.believe_longer_path(closed.floor, now);
            } else {
                self.enter_full(now);
            }
        }
    }

    fn while_trial(&mut self, now: Instant, mut trial: Trial) {
        match trial.turn(self.mtu, self.path.round_trip, now) {
            Answer::Waits => return self.mode = Mode::Trial(trial),
            Answer::Random => self.mode = Mode::Free { high: None },
            Answer::Full(loss) => {
                self.trial_wait = FIRST_TRIAL_WAIT;
                self.mode = Mode::Full(Full::after_trial(self.path.rates.peak(1), loss, now));
            }
        }
        self.trial_after = now + self.trial_wait;
        self.trial_wait = (self.trial_wait * 2).min(LONGEST_TRIAL_WAIT);
    }

    fn enter_full(&mut self, now: Instant) {
        self.mode = Mode::Full(Full::new(self.path.rates.peak(1), self.path.loss, now));
    }

    fn while_full(&mut self, now: Instant, mut full: Full, closed: &Closed) {
        let seen = Seen {
            floor: closed.floor,
            queue: self.path.queue,
            noise: closed.noise,
            delivered: closed.delivered,
            peak: self.path.rates.peak(1),
            loss: self.path.loss,
            limited: closed.limited,
        };
        match full.turn(&seen, now) {
            Verdict::Full => self.mode = Mode::Full(full),
            Verdict::Free => self.free(),
            Verdict::Longer(floor) => self.believe_longer_path(floor, now),
            Verdict::Foreign => {
                let in_flight = closed.delivered * self.path.round_trip.as_secs_f64();
                self.mode = Mode::Share(Share::new(in_flight as u64, self.mtu, closed.floor, now));
            }
        }
    }

    fn believe_longer_path(&mut self, floor: Duration, now: Instant) {
        self.path.believe(floor, now);
        self.free();
    }

    fn free(&mut self) {
        self.grown = self.window.max(INITIAL_WINDOW);
        self.mode = Mode::Free { high: None };
    }
}
