//! What the engine and the controller inside quinn's connection share.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::law::{INITIAL_WINDOW, Law};

/// Without an acknowledgement for two round trips and this the path may be gone.
const SILENCE: Duration = Duration::from_millis(50);

/// Who may fill the next packets without regard to the window, which the engine has looked at already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    Nobody,
    Datagrams,
    Streams,
}

/// Shared between the engine and the controller inside quinn's connection. Both run under the engine's lock.
#[derive(Debug)]
pub struct Signals {
    born: Instant,
    window: AtomicU64,
    in_flight: AtomicU64,
    /// Bytes per second; 0 for none.
    pace: AtomicU64,
    round_trip_us: AtomicU64,
    last_ack_us: AtomicU64,
    full: AtomicBool,
    /// An `Opening`.
    open: AtomicU8,
    shared: AtomicBool,
    limited: AtomicBool,
}

impl Signals {
    pub fn new(now: Instant) -> Self {
        Self {
            born: now,
            window: AtomicU64::new(INITIAL_WINDOW),
            in_flight: AtomicU64::new(0),
            pace: AtomicU64::new(0),
            round_trip_us: AtomicU64::new(0),
            last_ack_us: AtomicU64::new(0),
            full: AtomicBool::new(false),
            open: AtomicU8::new(Opening::Nobody as u8),
            shared: AtomicBool::new(false),
            limited: AtomicBool::new(false),
        }
    }

    /// Bytes that may leave now.
    pub fn room(&self) -> u64 {
        self.window.load(Ordering::Relaxed).saturating_sub(self.in_flight())
    }

    /// The same for what is paced, or goes before streams that may have filled the window.
    pub fn room_beyond(&self) -> u64 {
        (2 * self.window.load(Ordering::Relaxed)).saturating_sub(self.in_flight())
    }

    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// The path carries less than the flow sends.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    pub fn round_trip(&self) -> Duration {
        Duration::from_micros(self.round_trip_us.load(Ordering::Relaxed))
    }

    /// Bytes per second that datagrams may leave at; None where the window alone limits.
    pub fn pace(&self) -> Option<u64> {
        Some(self.pace.load(Ordering::Relaxed)).filter(|&pace| pace > 0)
    }

    /// Nothing was acknowledged for so long that the path may be gone.
    pub fn is_silent(&self, now: Instant) -> bool {
        let last = self.born + Duration::from_micros(self.last_ack_us.load(Ordering::Relaxed));
        self.in_flight() > 0 && now.saturating_duration_since(last) > 2 * self.round_trip() + SILENCE
    }

    /// Datagrams were sent of late, or wait.
    pub fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// While open, the engine has looked at the window already: what quinn is given leaves at once, unpaced.
    pub fn set_open(&self, opening: Opening) {
        self.open.store(opening as u8, Ordering::Relaxed);
    }

    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) != Opening::Nobody as u8
    }

    pub fn is_open_for_datagrams(&self) -> bool {
        self.open.load(Ordering::Relaxed) == Opening::Datagrams as u8
    }

    /// Datagrams wait for the window.
    pub fn set_limited(&self) {
        self.limited.store(true, Ordering::Relaxed);
    }

    /// Whether datagrams waited since this was last asked.
    pub fn take_limited(&self) -> bool {
        self.limited.swap(false, Ordering::Relaxed)
    }

    pub fn acked(&self, now: Instant) {
        let since = now.saturating_duration_since(self.born);
        self.last_ack_us.store(since.as_micros() as u64, Ordering::Relaxed);
    }

    pub fn count(&self, in_flight: u64, shared: bool) {
        self.in_flight.store(in_flight, Ordering::Relaxed);
        self.shared.store(shared, Ordering::Relaxed);
    }

    pub fn publish(&self, law: &Law) {
        self.window.store(law.window(), Ordering::Relaxed);
        self.pace.store(law.pace().map_or(0, |pace| pace as u64), Ordering::Relaxed);
        self.full.store(law.is_full(), Ordering::Relaxed);
        self.round_trip_us.store(law.round_trip().as_micros() as u64, Ordering::Relaxed);
    }
}
