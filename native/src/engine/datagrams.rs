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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Slot and id of the other leg's connection; the id tells whether the slot still holds it.
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
    /// Takes a datagram for the peer; `ledger` is None for what JavaScript itself sends.
    pub fn send_datagram(&mut self, payload: Bytes, ledger: Option<&Arc<Counts>>, now: Instant) -> SendOutcome {
        if !self.is_established() {
            count_drop(ledger, DropReason::Closing);
            return SendOutcome::Closed;
        }
        // With nothing in front of it a datagram goes to quinn at once.
        let payload = if self.queue.is_empty() {
            match self.hand_over(payload, ledger) {
                Ok(outcome) => return outcome,
                Err(payload) => payload,
            }
        } else {
            payload
        };
        let mut outcome = SendOutcome::Queued;
        let limit = self.settings.datagram_queue_bytes.saturating_sub(self.quinn_datagram_bytes());
        while self.queue.bytes() + payload.len() > limit && self.queue.drop_oldest(DropReason::QueueFull) {
            outcome = SendOutcome::QueueFull;
        }
        self.queue.push(Queued { payload, ledger: ledger.cloned(), since: now });
        outcome
    }

    /// Moves as much of the queue into quinn's buffer as fits; what waited too long is dropped.
    pub fn feed_datagrams(&mut self, now: Instant) {
        let age = self.settings.datagram_queue_age;
        while let Some(Queued { payload, ledger, since }) = self.queue.pop() {
            if now.duration_since(since) > age {
                count_drop(ledger.as_ref(), DropReason::Expired);
                continue;
            }
            if let Err(payload) = self.hand_over(payload, ledger.as_ref()) {
                self.queue.bytes += payload.len();
                self.queue.entries.push_front(Queued { payload, ledger, since });
                return;
            }
        }
    }

    /// Gives the payload back when quinn's buffer is full.
    fn hand_over(&mut self, payload: Bytes, ledger: Option<&Arc<Counts>>) -> Result<SendOutcome, Bytes> {
        let length = payload.len();
        match self.quic.datagrams().send(payload, false) {
            Ok(()) => {
                if let Some(ledger) = ledger {
                    ledger.datagram_out(length);
                }
                Ok(SendOutcome::Queued)
            }
            Err(SendDatagramError::Blocked(payload)) => Err(payload),
            Err(SendDatagramError::TooLarge | SendDatagramError::UnsupportedByPeer | SendDatagramError::Disabled) => {
                count_drop(ledger, DropReason::TooLarge);
                Ok(SendOutcome::TooLarge)
            }
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
    pub fn forward_datagrams(&mut self, from: Slot, now: Instant) {
        while let Some(payload) = self.connections[from].quic.datagrams().recv() {
            let connection = &self.connections[from];
            if !connection.is_established() {
                continue;
            }
            let Some(&prefix) = payload.first_chunk::<PREFIX_BYTES>() else {
                if connection.settings.local_datagrams {
                    self.events.datagram(connection.id, &payload);
                } else {
                    self.counters.malformed += 1;
                }
                continue;
            };
            let Some(route) = connection.routes.get(&prefix) else {
                if connection.settings.local_datagrams {
                    self.events.datagram(connection.id, &payload);
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
                        peer.send_datagram(payload, Some(&ledger), now);
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
}

impl Connection {
    /// The target of a route has ended: the route drops from now on.
    fn lose_target(&mut self, prefix: [u8; PREFIX_BYTES]) {
        if let Some(route) = self.routes.get_mut(&prefix) {
            route.target = Target::Drop(DropReason::NoPeer);
        }
    }
}
