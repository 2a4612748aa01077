//! New connection attempts: Retry under load is decided here, everything else by JavaScript.

use std::time::Instant;

use quinn_proto::{ConnectionHandle, Incoming};

use super::Core;

/// Handshakes begun in one turn: a storm must not hold back what is forwarded.
pub const DECISIONS_PER_TURN: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Accept,
    Retry,
    Refuse,
    Ignore,
}

impl Core {
    pub fn attempt(&mut self, endpoint: usize, incoming: Incoming, now: Instant) {
        let Some(listener) = &mut self.endpoints[endpoint].listener else {
            self.endpoints[endpoint].quic.ignore(incoming);
            return;
        };
        let (validated, remote) = (incoming.remote_address_validated(), incoming.remote_address());
        if !listener.accepting {
            return self.decide(endpoint, incoming, Decision::Refuse, now);
        }
        if !validated && listener.rate.exceeded(now) {
            return self.decide(endpoint, incoming, Decision::Retry, now);
        }
        let key = self.next_attempt;
        self.next_attempt = key.wrapping_add(1);
        listener.asked.insert(key, incoming);
        self.events.incoming(self.endpoints[endpoint].id, key, validated, remote);
    }

    pub fn apply_decisions(&mut self, now: Instant) {
        for _ in 0..DECISIONS_PER_TURN {
            let Some((endpoint, key, decision)) = self.decisions.pop_front() else { return };
            let listener = self.endpoints.get_mut(endpoint).and_then(|entry| entry.listener.as_mut());
            if let Some(incoming) = listener.and_then(|listener| listener.asked.remove(&key)) {
                self.decide(endpoint, incoming, decision, now);
            }
        }
    }

    fn decide(&mut self, endpoint: usize, incoming: Incoming, decision: Decision, now: Instant) {
        let entry = &mut self.endpoints[endpoint];
        let mut buffer = std::mem::take(&mut self.out);
        buffer.clear();
        let transmit = match decision {
            Decision::Accept => {
                self.out = buffer;
                return self.accept(endpoint, incoming, now);
            }
            Decision::Ignore => {
                entry.quic.ignore(incoming);
                None
            }
            Decision::Retry if incoming.may_retry() => {
                self.counters.retries_sent += 1;
                entry.quic.retry(incoming, &mut buffer).ok()
            }
            Decision::Retry | Decision::Refuse => {
                self.counters.refusals_sent += 1;
                Some(entry.quic.refuse(incoming, &mut buffer))
            }
        };
        if let Some(transmit) = transmit {
            self.send(endpoint, &transmit, &buffer);
        }
        self.out = buffer;
    }

    fn accept(&mut self, endpoint: usize, incoming: Incoming, now: Instant) {
        let remote = incoming.remote_address();
        let local_ip = incoming.local_ip();
        self.counters.handshakes_started += 1;
        let entry = &mut self.endpoints[endpoint];
        let Some(listener) = &entry.listener else {
            entry.quic.ignore(incoming);
            return;
        };
        let (config, settings) = (listener.config.clone(), listener.settings.clone());
        let mut buffer = std::mem::take(&mut self.out);
        buffer.clear();
        match entry.quic.accept(incoming, now, &mut buffer, Some(config)) {
            Ok((handle, quic)) => {
                let mut local = entry.socket.address;
                local.set_ip(local_ip.unwrap_or(local.ip()));
                let deadline = now + settings.handshake_timeout;
                let slot = self.adopt(endpoint, handle, quic, settings, (remote, local), deadline);
                self.mark_touched(slot);
                self.mark_dirty(slot);
            }
            Err(error) => {
                self.counters.handshakes_failed += 1;
                self.events.handshake_failed(entry.id, remote, &error.cause.to_string());
                if let Some(transmit) = error.response {
                    self.send(endpoint, &transmit, &buffer);
                }
            }
        }
        self.out = buffer;
    }

    /// The slot of quinn's handle on an endpoint.
    pub fn slot_of(&self, endpoint: usize, handle: ConnectionHandle) -> Option<usize> {
        let slot = self.endpoints[endpoint].slots.get(handle.0).copied()?;
        self.connections.contains(slot).then_some(slot)
    }
}
