//! How connections begin and end, and what quinn reports in between.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use quinn_proto::{ConnectionError, ConnectionHandle, Event, VarInt};
use rustc_hash::FxHashMap;

use super::{
    Connection, Core, Slot,
    ack_pace::AckPace,
    close_info::close_info,
    connection::{Move, Phase},
    datagrams::DatagramQueue,
    gate::Gate,
    stats::Budget,
    streams::Mover,
};
use crate::{
    events::{CloseInfo, CloseKind, DialFailure},
    ledger::DropReason,
    settings::Settings,
};

impl Core {
    pub fn adopt(
        &mut self,
        endpoint: usize,
        handle: ConnectionHandle,
        quic: quinn_proto::Connection,
        settings: Arc<Settings>,
        (remote, local): (SocketAddr, SocketAddr),
        deadline: Instant,
    ) -> Slot {
        let id = self.new_id();
        let gate = Gate::new(&quic);
        let connection = Connection {
            id,
            endpoint,
            handle,
            quic,
            phase: Phase::Handshaking { deadline },
            remote,
            local,
            settings,
            routes: HashMap::new(),
            local_route: None,
            queue: DatagramQueue::default(),
            mtu_searched: None,
            streams: FxHashMap::default(),
            written: Vec::new(),
            budget: Budget::default(),
            moving: None,
            rejected: None,
            close_request: None,
            last_stream_write: None,
            local_sends: 0,
            armed: None,
            acks: AckPace::new(),
            gate,
            forgotten: false,
            drained: false,
            dirty: false,
            touched: false,
            quiet: false,
        };
        let slot = self.connections.insert(Box::new(connection));
        self.endpoints[endpoint].assign(handle, slot);
        self.slots.insert(id, slot);
        slot
    }

    /// Handles all events that quinn has for a connection.
    pub fn poll(&mut self, slot: Slot, now: Instant) {
        self.poll_endpoint_events(slot);
        while let Some(Some(event)) = self.guarded(slot, |connection| connection.quic.poll()) {
            match event {
                Event::Connected => self.established(slot),
                Event::ConnectionLost { reason } => self.lost(slot, &reason),
                Event::Stream(event) => self.stream_event(slot, event, now),
                Event::HandshakeDataReady | Event::DatagramReceived | Event::DatagramsUnblocked => {}
            }
        }
        if let Some(connection) = self.connections.get_mut(slot) {
            if connection.is_established() && connection.address_changed() {
                self.events.address_changed(connection.id, connection.remote);
            }
            if connection.quic.is_drained() {
                self.drained(slot);
            }
        }
    }

    pub fn poll_endpoint_events(&mut self, slot: Slot) {
        while let Some(connection) = self.connections.get_mut(slot) {
            let Some(event) = connection.quic.poll_endpoint_events() else { return };
            let (endpoint, handle) = (connection.endpoint, connection.handle);
            if let Some(answer) = self.endpoints[endpoint].quic.handle_event(handle, event) {
                self.guarded(slot, |connection| connection.quic.handle_event(answer));
            }
        }
    }

    fn established(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot];
        if matches!(connection.phase, Phase::Handshaking { .. }) {
            connection.phase = Phase::Established;
            self.live_connections += 1;
            let listener = self.endpoints[connection.endpoint].id;
            self.events.connected(listener, connection.id, connection.remote, connection.local);
        }
    }

    fn lost(&mut self, slot: Slot, reason: &ConnectionError) {
        self.end(slot, close_info(reason));
    }

    /// Ends a connection for a reason of our own, and sends that reason to the peer.
    pub fn give_up(&mut self, slot: Slot, kind: CloseKind, reason: &'static str, now: Instant) {
        self.connections[slot].quic.close(now, 0u32.into(), Bytes::from_static(reason.as_bytes()));
        self.end(slot, CloseInfo { kind, code: None, reason: reason.into() });
        self.mark_dirty(slot);
    }

    /// Adds the event for JavaScript, frees what the connection used, cuts what led through it. quinn's part lives on
    /// until it has drained.
    pub fn end(&mut self, slot: Slot, info: CloseInfo) {
        let connection = &mut self.connections[slot];
        let phase = std::mem::replace(&mut connection.phase, Phase::Ended);
        match phase {
            Phase::Ended => return,
            Phase::Established => {
                self.live_connections -= 1;
                self.events.closed(connection.id, &info);
            }
            Phase::Handshaking { .. } => {
                connection.forgotten = true;
                self.slots.remove(&connection.id);
                self.counters.handshakes_failed += 1;
                match &connection.rejected {
                    Some(rejected) => {
                        let why = match info.kind {
                            CloseKind::Idle => DialFailure::Timeout,
                            _ if rejected.load(Ordering::Relaxed) => DialFailure::Verification,
                            _ => DialFailure::Connect,
                        };
                        self.events.dial_failed(connection.id, why, &info.reason);
                    }
                    None => self.events.handshake_failed(
                        self.endpoints[connection.endpoint].id,
                        connection.remote,
                        &info.reason,
                    ),
                }
            }
        }
        connection.queue.clear(DropReason::Closing);
        connection.routes = HashMap::new();
        connection.local_route = None;
        let movers: Vec<Mover> = connection.streams.values().filter_map(|stream| stream.mover).collect();
        for mover in movers {
            match mover {
                Mover::Splice { id, .. } => self.splice_lost(id),
                Mover::Local(socket) => self.local_lost(socket),
            }
        }
    }

    /// quinn is done with a connection. What it had received stays readable until JavaScript has handled the end.
    pub fn drained(&mut self, slot: Slot) {
        let connection = &mut self.connections[slot];
        if std::mem::replace(&mut connection.drained, true) {
            return;
        }
        let forgotten = connection.forgotten;
        let entry = &mut self.endpoints[connection.endpoint];
        entry.release(connection.handle);
        // A socket for dialling goes with its last connection: the next dial gets a fresh port.
        if entry.listener.is_none() && entry.connections == 0 {
            entry.closing = true;
        }
        if forgotten {
            self.connections.remove(slot);
        }
    }

    /// JavaScript has handled the end and will not read from the connection again.
    pub fn forget(&mut self, connection: u64) {
        let Some(slot) = self.slots.remove(&connection) else { return };
        let Some(entry) = self.connections.get_mut(slot) else { return };
        entry.forgotten = true;
        entry.streams = FxHashMap::default();
        if entry.drained {
            self.connections.remove(slot);
        }
    }

    /// The application closes: what quinn holds goes out first, in the next flush (`transmit`).
    pub fn close(&mut self, slot: Slot, code: VarInt, reason: String) {
        self.push_written(slot, Instant::now());
        let words = Bytes::from(reason.clone().into_bytes());
        self.connections[slot].close_request = Some((code, words));
        self.end(slot, CloseInfo { kind: CloseKind::Local, code: Some(code.into_inner()), reason });
        self.mark_dirty(slot);
    }

    /// The socket does not work any more: everything on it ends.
    pub fn socket_failed(&mut self, endpoint: usize, reason: &str) {
        let slots: Vec<Slot> =
            self.endpoints[endpoint].slots.iter().copied().filter(|&slot| slot != Slot::MAX).collect();
        for slot in slots {
            let reason = format!("socket failed: {reason}");
            self.end(slot, CloseInfo { kind: CloseKind::Error, code: None, reason });
            self.drained(slot);
        }
        let entry = &mut self.endpoints[endpoint];
        if entry.listener.is_some() && !entry.closing {
            self.events.listener_failed(entry.id, reason);
        }
        entry.unsent.clear();
        entry.held.clear();
        entry.closing = true;
    }

    /// Frees sockets that are closing once their last packets have left.
    pub fn release_endpoints(&mut self) {
        let done: Vec<usize> = self.endpoints.iter().filter(|(_, entry)| entry.is_done()).map(|(key, _)| key).collect();
        for endpoint in done {
            let entry = self.endpoints.remove(endpoint);
            for slot in entry.slots.into_iter().filter(|&slot| slot != Slot::MAX) {
                if let Some(connection) = self.connections.get_mut(slot) {
                    connection.drained = true;
                    if connection.forgotten {
                        self.connections.remove(slot);
                    }
                }
            }
            if entry.listener.is_some() {
                self.events.listener_closed(entry.id);
            }
            self.sockets_changed = true;
        }
    }
}

impl Connection {
    /// True once for each new address of the peer that has answered a path challenge.
    fn address_changed(&mut self) -> bool {
        let current = self.quic.remote_address();
        self.gate.follow(&self.quic);
        if current == self.remote {
            self.moving = None;
            return false;
        }
        let responses = self.quic.stats().frame_rx.path_response;
        match &self.moving {
            Some(moving) if moving.to == current => {
                if responses == moving.responses_before {
                    return false;
                }
                self.moving = None;
                self.remote = current;
                true
            }
            _ => {
                self.moving = Some(Move { to: current, responses_before: responses });
                false
            }
        }
    }
}
