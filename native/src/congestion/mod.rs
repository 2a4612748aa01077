//! Congestion control for connections whose datagrams are live media, which repairs itself and is worthless when late.
//! Streams have a window of their own beside it. `docs/media-paths.md` states the law and its sources.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn_proto::{
    RttEstimator,
    congestion::{Controller, ControllerFactory},
};

mod cubic;
mod filters;
mod flight;
mod full;
mod law;
mod path;
mod probe;
mod share;
mod signals;
mod standstill;
mod streams;
mod trial;

use flight::{Flight, Kind};
use law::{INITIAL_WINDOW, Law};
pub use signals::{Opening, Signals};
use streams::Streams;

/// Packets up to this size that carry no datagram are taken for acknowledgements, which are not in flight.
const LARGEST_ACK: u64 = 300;
/// The window while the engine decides what leaves: above 2^32 quinn does not pace either.
const OPEN_WINDOW: u64 = 1 << 40;
/// Streams keep to the law for so long after a datagram: the queue that they would fill is the datagrams', too. And so
/// long after a packet of a stream there are streams.
const ACTIVE: Duration = Duration::from_secs(1);

/// quinn's view of both laws.
#[derive(Clone)]
pub struct LiveController {
    law: Law,
    streams: Streams,
    flight: Flight,
    last_datagram: Option<Instant>,
    last_stream: Option<Instant>,
    has_streams: bool,
    signals: Arc<Signals>,
}

impl LiveController {
    fn new(now: Instant, mtu: u16) -> Self {
        Self {
            law: Law::new(mtu, now),
            streams: Streams::new(mtu, now),
            flight: Flight::default(),
            last_datagram: None,
            last_stream: None,
            has_streams: false,
            signals: Arc::new(Signals::new(now)),
        }
    }

    pub fn signals(&self) -> Arc<Signals> {
        self.signals.clone()
    }

    /// The signals of the path that a connection uses now.
    pub fn of(quic: &quinn_proto::Connection) -> Option<Arc<Signals>> {
        let controller = quic.congestion_state().clone_box().into_any().downcast::<Self>().ok()?;
        Some(controller.signals())
    }

    /// What streams may fill, the datagrams in flight included.
    fn stream_window(&self) -> u64 {
        self.flight.datagrams() + self.streams.window()
    }

    /// The law leaves streams less than their own window.
    fn is_held_back(&self) -> bool {
        self.signals.is_shared() && self.law.window() < self.stream_window()
    }

    fn count(&mut self, now: Instant) {
        let is_active = |last: Option<Instant>| last.is_some_and(|at| now.saturating_duration_since(at) < ACTIVE);
        self.has_streams = is_active(self.last_stream);
        self.signals.count(self.law.in_flight(), is_active(self.last_datagram));
    }
}

impl Controller for LiveController {
    fn on_sent(&mut self, now: Instant, bytes: u64, _last_packet_number: u64) {
        if self.signals.is_open_for_datagrams() {
            self.flight.sent(now, bytes);
            self.last_datagram = Some(now);
        } else if bytes > LARGEST_ACK {
            self.last_stream = Some(now);
        }
        if bytes > LARGEST_ACK || self.signals.is_open() {
            if let Some(closed) = self.law.sent(now, bytes) {
                self.streams.close(&closed, now);
                self.signals.publish(&self.law);
            }
            self.count(now);
        }
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, _rtt: &RttEstimator) {
        if self.signals.take_limited() {
            self.law.limited();
            self.last_datagram = Some(now);
        }
        self.law.acked(now, sent, bytes);
        if self.flight.acked(sent, bytes) == Kind::Streams {
            let is_limit = !app_limited && !self.is_held_back();
            self.streams.acked(sent, bytes, self.law.round_trip(), is_limit, now);
        }
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, _app_limited: bool, _largest: Option<u64>) {
        if in_flight == 0 {
            self.flight.clear();
        }
        if let Some(closed) = self.law.acks_end(now, in_flight) {
            self.streams.close(&closed, now);
        }
        self.signals.acked(now);
        self.signals.publish(&self.law);
        self.count(now);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, is_persistent: bool, lost_bytes: u64) {
        let of_streams = if lost_bytes == 0 {
            self.law.marked(now, sent);
            self.law.in_flight() > self.flight.datagrams()
        } else {
            self.law.lost(now, sent, lost_bytes);
            self.flight.lost(sent, lost_bytes) > 0
        };
        if of_streams {
            self.streams.lost(sent, is_persistent, now);
        }
        self.signals.publish(&self.law);
        self.count(now);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.law.set_mtu(new_mtu);
        self.streams.set_mtu(new_mtu);
    }

    fn window(&self) -> u64 {
        match (self.signals.is_shared(), self.has_streams) {
            _ if self.signals.is_open() => OPEN_WINDOW,
            // What a connection of datagrams has to say beside them must not wait, nor its acknowledgements with it.
            (true, false) => self.law.window(),
            (true, true) => self.stream_window().min(self.law.window()),
            (false, _) => self.stream_window(),
        }
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
        Box::new(LiveController::new(now, current_mtu))
    }
}
