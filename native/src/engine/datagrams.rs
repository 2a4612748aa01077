//! Datagrams: routes by tunnel id, and the short queue towards each peer (conformance S5, S6).

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use quinn_proto::SendDatagramError;

use super::{Connection, Core, Slot};
use crate::ledger::{Counts, DropReason, PREFIX_BYTES};

/// On a path that carries less than comes every datagram waits for as long as it may: fresher ones are worth more.
const AGE_ON_FULL_PATH: Duration = Duration::from_millis(60);
/// While datagrams are dropped as too large, a larger path MTU is looked for this often: a path that carries them again
/// is known soon, and what the search costs is less than what is dropped.
const SEARCH_AGAIN: Duration = Duration::from_secs(1);
/// Streams that were written to within this share the window with datagrams.
const STREAMS_ACTIVE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Slot and id of the other leg's connection; the id shows whether the slot still holds it.
    Forward(Slot, u64),
    Drop(DropReason),
}

pub struct Route {
    pub target: Target,
    pub ledger: Arc<Counts>,
    /// What the handle of this route withdraws; a later route for the prefix has another.
    pub token: u64,
}

struct Queued {
    payload: Bytes,
    ledger: Option<Arc<Counts>>,
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    Queued,
    TooLarge,
    QueueFull,
    Closed,
}

/// What waits in front of quinn's own short buffer, where it can still be counted when it grows old.
#[derive(Default)]
pub struct DatagramQueue {
    entries: VecDeque<Queued>,
    bytes: usize,
}

impl DatagramQueue {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn next_expiry(&self, age: Duration) -> Option<Instant> {
        self.entries.front().map(|entry| entry.since + age)
    }

    fn pop(&mut self) -> Option<Queued> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.payload.len();
        if self.entries.is_empty() && self.entries.capacity() > 64 {
            self.entries = VecDeque::new();
        }
        Some(entry)
    }

    fn push(&mut self, entry: Queued) {
        self.bytes += entry.payload.len();
        self.entries.push_back(entry);
    }

    fn push_front(&mut self, entry: Queued) {
        self.bytes += entry.payload.len();
        self.entries.push_front(entry);
    }

    fn drop_oldest(&mut self, reason: DropReason) -> bool {
        let Some(Queued { ledger, .. }) = self.pop() else { return false };
        if let Some(ledger) = ledger {
            ledger.dropped(reason);
        }
        true
    }

    /// Everything that waits is counted under `reason`.
    pub fn clear(&mut self, reason: DropReason) {
        while self.drop_oldest(reason) {}
    }
}

impl Connection {
    /// Takes a datagram for the peer that came at `since`; `ledger` is None where JavaScript sends without one.
    pub fn send_datagram(&mut self, payload: Bytes, ledger: Option<&Arc<Counts>>, since: Instant) -> SendOutcome {
        if !self.is_established() {
            count_drop(ledger, DropReason::Closing);
            return SendOutcome::Closed;
        }
        if self.quic.datagrams().max_size().is_none_or(|largest| payload.len() > largest) {
            count_drop(ledger, DropReason::TooLarge);
            self.search_mtu(since);
            return SendOutcome::TooLarge;
        }
        let mut outcome = SendOutcome::Queued;
        let limit = self.settings.datagram_queue_bytes;
        while self.queue.bytes() + payload.len() > limit && self.queue.drop_oldest(DropReason::QueueFull) {
            outcome = SendOutcome::QueueFull;
        }
        self.queue.push(Queued { payload, ledger: ledger.cloned(), since });
        outcome
    }

    /// A datagram did not fit at this time.
    fn search_mtu(&mut self, now: Instant) {
        if self.mtu_searched.is_none_or(|at| now.saturating_duration_since(at) >= SEARCH_AGAIN) {
            self.mtu_searched = Some(now);
            self.quic.search_mtu(now);
        }
    }

    /// A datagram does not wait for longer; on a full path, where each waits as long as it may, for less.
    pub fn queue_age(&self) -> Duration {
        let age = self.settings.datagram_queue_age;
        if self.gate.is_full() { age.min(AGE_ON_FULL_PATH) } else { age }
    }

    /// Hands up to `most` datagrams to quinn: only what its next packets carry at once, so that what waits can grow old
    /// and be counted here. Returns how many packets they need.
    pub fn feed_datagrams(&mut self, now: Instant, most: usize) -> usize {
        // Left there by a peer whose address is not validated yet.
        let mut packets = usize::from(self.quinn_datagram_bytes() > 0);
        let age = self.queue_age();
        let streams = self.last_stream_write.is_some_and(|at| now.duration_since(at) < STREAMS_ACTIVE);
        let mut bytes = 0;
        while packets < most {
            let Some(Queued { payload, since, .. }) = self.queue.entries.front() else { break };
            if now.duration_since(*since) >= age {
                self.queue.drop_oldest(DropReason::Expired);
                continue;
            }
            let length = payload.len() as u64;
            if !self.gate.admits(bytes, length, streams, now) {
                break;
            }
            let Some(Queued { payload, ledger, since }) = self.queue.pop() else { break };
            if let Err(payload) = self.hand_over(payload, ledger.as_ref()) {
                self.queue.push_front(Queued { payload, ledger, since });
                break;
            }
            bytes += length;
            packets += 1;
        }
        packets
    }

    /// Gives the payload back when quinn's buffer is full.
    fn hand_over(&mut self, payload: Bytes, ledger: Option<&Arc<Counts>>) -> Result<(), Bytes> {
        let length = payload.len();
        match self.quic.datagrams().send(payload, false) {
            Ok(()) => {
                if let Some(ledger) = ledger {
                    ledger.datagram_out(length);
                }
                Ok(())
            }
            Err(SendDatagramError::Blocked(payload)) => Err(payload),
            Err(SendDatagramError::TooLarge | SendDatagramError::UnsupportedByPeer | SendDatagramError::Disabled) => {
                count_drop(ledger, DropReason::TooLarge);
                Ok(())
            }
        }
    }

    /// The target of a route has ended: the route drops from now on.
    fn lose_target(&mut self, prefix: [u8; PREFIX_BYTES]) {
        if let Some(route) = self.routes.get_mut(&prefix) {
            route.target = Target::Drop(DropReason::NoPeer);
        }
    }
}

fn count_drop(ledger: Option<&Arc<Counts>>, reason: DropReason) {
    if let Some(ledger) = ledger {
        ledger.dropped(reason);
    }
}

impl Core {
    /// Forwards what has arrived on a connection. `out` of a ledger is counted where quinn takes the datagram.
    /// They arrived at `since`, which is long ago when the process got no time. `clock` is read before each that leaves
    /// at once, for a local program.
    pub fn forward_datagrams(&mut self, from: Slot, since: Instant, clock: &impl Fn() -> Instant) {
        while let Some(payload) = self.connections[from].quic.datagrams().recv() {
            let connection = &self.connections[from];
            if !connection.is_established() {
                continue;
            }
            let Some(&prefix) = payload.first_chunk::<PREFIX_BYTES>() else {
                if connection.settings.local_datagrams {
                    self.hand_up(from, &payload, since);
                } else {
                    self.counters.malformed += 1;
                }
                continue;
            };
            if let Some(local) = connection.local_route.filter(|local| local.prefix == prefix) {
                self.deliver_udp(local.leg, &payload, since, clock());
                continue;
            }
            let Some(route) = connection.routes.get(&prefix) else {
                if connection.settings.local_datagrams {
                    self.hand_up(from, &payload, since);
                } else {
                    self.counters.unbound_sender += 1;
                }
                continue;
            };
            let (target, ledger) = (route.target, route.ledger.clone());
            ledger.datagram_in(payload.len());
            match target {
                Target::Drop(reason) => ledger.dropped(reason),
                Target::Forward(to, id) => match self.connections.get_mut(to) {
                    Some(peer) if peer.id == id && peer.is_established() => {
                        peer.send_datagram(payload, Some(&ledger), since);
                        self.mark_dirty(to);
                    }
                    _ => {
                        self.connections[from].lose_target(prefix);
                        ledger.dropped(DropReason::NoPeer);
                    }
                },
            }
        }
    }

    /// A datagram for JavaScript, which takes it while it is fresh.
    fn hand_up(&mut self, slot: Slot, payload: &[u8], since: Instant) {
        let connection = &self.connections[slot];
        self.events.datagram(connection.id, payload, since + connection.settings.datagram_queue_age);
    }
}
