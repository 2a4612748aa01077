//! Whether another flow fills the path too: losses that come with a queue which rises and falls. Random loss does not
//! ask how long the queue is.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How far is looked back: a few of CUBIC's cycles.
const HORIZON: Duration = Duration::from_secs(10);
const SLOT: Duration = Duration::from_millis(100);
/// A queue that moves by less is the path's jitter.
const SWING: Duration = Duration::from_millis(15);
/// By how much a long queue moves that somebody fills and lets go.
const SWAY: Duration = Duration::from_millis(8);
/// In one of so many slots with a long queue.
const SWAYING: usize = 8;
/// Times at which the path answered with loss; fewer may be chance.
const EVENTS: u32 = 3;
/// How much likelier loss is with a long queue than with a short one.
const LIKELIER: f64 = 4.0;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    Nothing,
    /// Loss came with a delay that stays: a queue, or a longer path that loses.
    Queue,
    /// Somebody fills the queue and lets go.
    Contest,
}

#[derive(Clone, Copy)]
struct Slot {
    since: Instant,
    /// The shortest in this time.
    queue: Duration,
    acked: u64,
    lost: u64,
}

/// What was acknowledged and lost, by the queue that it met.
#[derive(Clone, Default)]
pub struct Contest {
    slots: VecDeque<Slot>,
}

impl Contest {
    /// An interval that began at `since` has ended at `now`; `queue` is the shortest of it.
    pub fn push(&mut self, since: Instant, queue: Duration, acked: u64, now: Instant) {
        while self.slots.front().is_some_and(|slot| now.duration_since(slot.since) > HORIZON) {
            self.slots.pop_front();
        }
        match self.slots.back_mut().filter(|slot| now.duration_since(slot.since) <= SLOT) {
            Some(slot) => (slot.queue, slot.acked) = (slot.queue.min(queue), slot.acked + acked),
            None => self.slots.push_back(Slot { since, queue, acked, lost: 0 }),
        }
    }

    /// A packet is lost whose acknowledgement would have come at `due`.
    pub fn lost(&mut self, due: Instant, bytes: u64) {
        if let Some(slot) = self.slots.iter_mut().rev().find(|slot| slot.since <= due) {
            slot.lost += bytes;
        }
    }

    pub fn forget(&mut self) {
        self.slots.clear();
    }

    pub fn find(&self) -> Finding {
        let queues = || self.slots.iter().map(|slot| slot.queue);
        let (Some(shortest), Some(longest)) = (queues().min(), queues().max()) else { return Finding::Nothing };
        let middle = (shortest + longest) / 2;
        let rate = |is_long: bool| {
            let slots = self.slots.iter().filter(|slot| (slot.queue > middle) == is_long);
            let (acked, lost) = slots.fold((0, 0), |(acked, lost), slot| (acked + slot.acked, lost + slot.lost));
            lost as f64 / (acked + lost).max(1) as f64
        };
        let goes_with_queue = longest - shortest >= SWING && rate(true) >= LIKELIER * rate(false);
        if !goes_with_queue || self.events(middle) < EVENTS {
            return Finding::Nothing;
        }
        let long = || queues().filter(|&queue| queue > middle);
        let shorter = long().filter(|&queue| queue + SWAY <= longest).count();
        if SWAYING * shorter >= long().count() { Finding::Contest } else { Finding::Queue }
    }

    /// Losses under a long queue, those in slots side by side as one.
    fn events(&self, middle: Duration) -> u32 {
        let mut events = 0;
        let mut before = false;
        for slot in &self.slots {
            let loses = slot.lost > 0 && slot.queue > middle;
            events += u32::from(loses && !before);
            before = loses;
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds of slots: the queue of each in milliseconds, and whether it loses.
    fn found(queue: impl Fn(u64) -> u64, loses: impl Fn(u64) -> bool) -> Finding {
        let start = Instant::now();
        let mut contest = Contest::default();
        for slot in 0..90 {
            let since = start + SLOT * slot as u32 + Duration::from_millis(slot);
            contest.push(since, Duration::from_millis(queue(slot)), 40_000, since + SLOT);
            if loses(slot) {
                contest.lost(since + SLOT / 2, 1400);
            }
        }
        contest.find()
    }

    fn saw(slot: u64) -> u64 {
        slot % 15 * 3
    }

    #[test]
    fn losses_at_the_top_of_a_queue_that_rises_and_falls_are_a_contest() {
        assert!(found(saw, |slot| slot % 15 == 14) == Finding::Contest);
    }

    #[test]
    fn random_loss_under_any_queue_is_none() {
        assert!(found(saw, |slot| slot % 4 == 0) == Finding::Nothing);
        assert!(found(|slot| slot % 3, |slot| slot % 4 == 0) == Finding::Nothing);
    }

    #[test]
    fn a_path_that_got_longer_and_loses_since_may_be_a_queue_but_nobody_lets_go() {
        assert!(found(|slot| if slot < 30 { 1 } else { 38 }, |slot| slot > 30 && slot % 4 == 0) == Finding::Queue);
    }
}
