//! Congestion control for connections whose datagrams are live media, which repairs itself and is worthless when late;
//! streams share it. `docs/media-paths.md` states the law and its sources.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerFactory},
};

mod filters;
mod full;
mod law;
mod shadow;
mod trial;

pub use law::INITIAL_WINDOW;
use law::Law;

/// Packets up to this size that carry no datagram are taken for acknowledgements, which are not in flight.
const LARGEST_ACK: u64 = 300;
/// The window while the engine decides what leaves: above 2^32 quinn does not pace either.
const OPEN_WINDOW: u64 = 1 << 40;
/// Without an acknowledgement for two round trips and this the path may be gone.
const SILENCE: Duration = Duration::from_millis(50);

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
    open: AtomicBool,
    limited: AtomicBool,
}

impl Signals {
    fn new(now: Instant) -> Self {
        Self {
            born: now,
            window: AtomicU64::new(INITIAL_WINDOW),
            in_flight: AtomicU64::new(0),
            pace: AtomicU64::new(0),
            round_trip_us: AtomicU64::new(0),
            last_ack_us: AtomicU64::new(0),
            full: AtomicBool::new(false),
            open: AtomicBool::new(false),
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

    /// While open, the engine has looked at the window already: what quinn is given leaves at once, unpaced.
    pub fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// Datagrams wait for the window.
    pub fn set_limited(&self) {
        self.limited.store(true, Ordering::Relaxed);
    }

    fn publish(&self, law: &Law) {
        self.window.store(law.window(), Ordering::Relaxed);
        self.in_flight.store(law.in_flight(), Ordering::Relaxed);
        self.pace.store(law.pace().map_or(0, |pace| pace as u64), Ordering::Relaxed);
        self.full.store(law.is_full(), Ordering::Relaxed);
        self.round_trip_us.store(law.round_trip().as_micros() as u64, Ordering::Relaxed);
    }
}

/// quinn's view of the law.
#[derive(Clone)]
pub struct LiveController {
    law: Law,
    signals: Arc<Signals>,
}

impl LiveController {
    pub fn signals(&self) -> Arc<Signals> {
        self.signals.clone()
    }

    /// The signals of the path that a connection uses now.
    pub fn of(quic: &quinn_proto::Connection) -> Option<Arc<Signals>> {
        let controller = quic.congestion_state().clone_box().into_any().downcast::<Self>().ok()?;
        Some(controller.signals())
    }
}

impl Controller for LiveController {
    fn on_sent(&mut self, _now: Instant, bytes: u64, _last_packet_number: u64) {
        if bytes > LARGEST_ACK || self.signals.open.load(Ordering::Relaxed) {
            self.law.sent(bytes);
            self.signals.in_flight.store(self.law.in_flight(), Ordering::Relaxed);
        }
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, _app_limited: bool, _rtt: &RttEstimator) {
        if self.signals.limited.swap(false, Ordering::Relaxed) {
            self.law.limited();
        }
        self.law.acked(now, sent, bytes);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, _app_limited: bool, _largest: Option<u64>) {
        self.law.acks_end(now, in_flight);
        let since = now.saturating_duration_since(self.signals.born);
        self.signals.last_ack_us.store(since.as_micros() as u64, Ordering::Relaxed);
        self.signals.publish(&self.law);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, _is_persistent: bool, lost_bytes: u64) {
        if lost_bytes == 0 {
            self.law.marked(now, sent);
        } else {
            self.law.lost(now, sent, lost_bytes);
        }
        self.signals.publish(&self.law);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.law.set_mtu(new_mtu);
    }

    fn window(&self) -> u64 {
        if self.signals.open.load(Ordering::Relaxed) { OPEN_WINDOW } else { self.law.window() }
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        INITIAL_WINDOW
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[derive(Debug, Default)]
pub struct LiveConfig;

impl ControllerFactory for LiveConfig {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(LiveController { law: Law::new(current_mtu, now), signals: Arc::new(Signals::new(now)) })
    }
}
