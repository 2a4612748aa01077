//! From the socket to the connections.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::BytesMut;
use quinn_proto::{DatagramEvent, EcnCodepoint};
use quinn_udp::{BATCH_SIZE, RecvMeta};

use super::{Core, Quiet, ack_pace::ACK_DELAY, endpoint::Stall};
use crate::events::CloseKind;

/// Room for a GRO batch in each message of a receive call.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Receive calls per socket and turn: a flood must not keep timers and JavaScript waiting.
const CALLS_PER_TURN: usize = 8;
/// The loop turns as often though nothing comes, so that it knows when it stood still.
const HEARTBEAT: Duration = Duration::from_millis(50);
/// A packet that waited for longer in the kernel is looked at on its own, with its age.
const FRESH: Duration = Duration::from_millis(5);
/// After this many failed receive calls in a row the socket is given up.
const MAX_RECEIVE_ERRORS: u32 = 32;

pub struct ReceiveBuffer {
    bytes: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl ReceiveBuffer {
    pub fn new() -> Self {
        Self { bytes: vec![0; MESSAGE_BYTES * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE] }
    }
}

/// How a packet came, and when.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub remote: SocketAddr,
    pub local: Option<IpAddr>,
    pub ecn: Option<EcnCodepoint>,
    pub at: Instant,
}

impl Core {
    /// Reads what a socket holds, within the bound of one turn.
    pub fn receive(&mut self, endpoint: usize, buffer: &mut ReceiveBuffer, now: Instant) {
        let turned = self.turned_at;
        let Some(entry) = self.endpoints.get_mut(endpoint) else { return };
        let at = Stall::arrival(&mut entry.stalled, turned, now);
        for _ in 0..CALLS_PER_TURN {
            let Some(entry) = self.endpoints.get_mut(endpoint) else { return };
            let mut slices = buffer.bytes.chunks_exact_mut(MESSAGE_BYTES).map(IoSliceMut::new);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| slices.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            let received = entry.socket.state.recv(entry.socket.reference(), &mut slices, &mut buffer.metas);
            match received {
                Ok(count) => {
                    entry.receive_errors = 0;
                    if count < BATCH_SIZE {
                        entry.stalled = None;
                    }
                    for i in 0..count {
                        let start = i * MESSAGE_BYTES;
                        let meta = buffer.metas[i];
                        self.message(endpoint, &buffer.bytes[start..start + meta.len], meta, at, now);
                    }
                    if count < BATCH_SIZE {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    entry.stalled = None;
                    return;
                }
                Err(error) => {
                    entry.receive_errors += 1;
                    if entry.receive_errors >= MAX_RECEIVE_ERRORS {
                        self.socket_failed(endpoint, &error.to_string());
                    }
                    return;
                }
            }
        }
    }

    /// How long the loop may wait, at most. The first turn after a pause may have another reason than the sockets. So
    /// the next turn follows at once and measures from the same time.
    pub fn longest_wait(&mut self, wake: Option<Instant>, now: Instant) -> Instant {
        if !self.looks_again && Stall::paused(self.turned_at, now).is_some() {
            self.looks_again = true;
            return now;
        }
        self.looks_again = false;
        self.turned_at = Some(now);
        let heartbeat = now + HEARTBEAT;
        wake.map_or(heartbeat, |wake| wake.min(heartbeat))
    }

    fn message(&mut self, endpoint: usize, bytes: &[u8], meta: RecvMeta, at: Instant, now: Instant) {
        let ecn = meta.ecn.and_then(|ecn| EcnCodepoint::from_bits(ecn as u8));
        self.counters.bytes_received += bytes.len() as u64;
        for packet in bytes.chunks(meta.stride.max(1)) {
            self.counters.packets_received += 1;
            self.packet(endpoint, packet, Arrival { remote: meta.addr, local: meta.dst_ip, ecn, at }, now);
        }
    }

    pub fn packet(
        &mut self,
        endpoint: usize,
        packet: &[u8],
        Arrival { remote, local, ecn, at }: Arrival,
        now: Instant,
    ) {
        let Some(entry) = self.endpoints.get_mut(endpoint) else { return };
        let short_header = packet.first().is_some_and(|byte| byte & 0x80 == 0);
        let mut response = std::mem::take(&mut self.out);
        response.clear();
        match entry.quic.handle(now, remote, local, ecn, BytesMut::from(packet), &mut response) {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                if let Some(slot) = self.slot_of(endpoint, handle) {
                    self.mark_touched(slot);
                    let verdict = self.guarded(slot, |connection| {
                        connection.quic.handle_event(event);
                        connection.count_received(packet.len(), now)
                    });
                    if let Some(Some(reason)) = verdict {
                        self.give_up(slot, CloseKind::Budget, reason, now);
                    } else if now.duration_since(at) > FRESH && self.connections.contains(slot) {
                        // What it carries is old already, unlike what follows in this turn.
                        self.forward_datagrams(slot, at, &|| now);
                    }
                }
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.attempt(endpoint, incoming, now),
            Some(DatagramEvent::Response(transmit)) => {
                self.counters.stray_packets += 1;
                // The only response to a short header is a reset; on a dialled socket it is the only one to unknown
                // peers.
                let reset = short_header || entry.listener.is_none();
                let allowed = !reset || !entry.resets.exceeded(now);
                if allowed {
                    self.counters.resets_sent += u64::from(reset);
                    self.send(endpoint, &transmit, &response);
                }
            }
            None => self.counters.stray_packets += 1,
        }
        self.out = response;
    }

    /// Handles what connections received in this turn: forwards datagrams, moves stream bytes, adds events.
    pub fn handle_received(&mut self, now: Instant, clock: &impl Fn() -> Instant) {
        while let Some(slot) = self.touched.pop() {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            connection.touched = false;
            if connection.drained {
                continue;
            }
            self.poll(slot, now);
            if self.connections.get(slot).is_none_or(|connection| connection.drained) {
                continue;
            }
            self.forward_datagrams(slot, now, clock);
            let connection = &mut self.connections[slot];
            let may_wait = connection.may_wait(now);
            if connection.dirty {
                continue;
            }
            if !may_wait {
                self.mark_dirty(slot);
                continue;
            }
            // Only a flush arms it otherwise.
            self.timers.arm(slot, connection);
            if !connection.quiet {
                connection.quiet = true;
                let connection = connection.id;
                self.quiet.push_back(Quiet { due: now + ACK_DELAY, slot, connection });
            }
        }
    }
}
