//! From the connections to the socket: one flush per turn, GSO batches where a connection has several packets for its
//! peer.

use std::{io, time::Instant};

use quinn_proto::Transmit;

use super::{Core, Slot, endpoint::Unsent};
use crate::congestion::Opening;

/// GSO batches of one connection per turn; a fast one must not starve the others.
const BATCHES_PER_TURN: usize = 16;
/// Packets that wait for a full socket buffer; responses to unproven addresses must not pile up behind it.
const MAX_UNSENT: usize = 1024;

/// What a world in virtual time carries in place of a socket.
#[cfg(test)]
pub struct Captured {
    pub to: std::net::SocketAddr,
    pub bytes: Vec<u8>,
}

impl Core {
    pub fn flush(&mut self, clock: impl Fn() -> Instant) {
        for slot in std::mem::take(&mut self.dirty) {
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            if !std::mem::take(&mut connection.dirty) || connection.drained {
                continue;
            }
            let entry = &mut self.endpoints[connection.endpoint];
            if entry.unsent.is_empty() {
                self.flush_connection(slot, clock());
            } else {
                entry.held.push(slot);
            }
        }
    }

    fn flush_connection(&mut self, slot: Slot, now: Instant) {
        let Some(connection) = self.connections.get_mut(slot) else { return };
        connection.acks.answered();
        connection.quiet = false;
        self.push_written(slot, now);
        let more = self.transmit(slot, now);
        let Some(connection) = self.connections.get_mut(slot) else { return };
        if let Some((code, reason)) = connection.close_request.take() {
            connection.quic.close(now, code, reason);
            self.transmit(slot, now);
        } else if more {
            self.mark_dirty(slot);
        }
        self.poll_endpoint_events(slot);
        if let Some(connection) = self.connections.get_mut(slot) {
            self.timers.arm(slot, connection);
        }
    }

    /// Sends what the connection may send now; true when it would send more.
    fn transmit(&mut self, slot: Slot, now: Instant) -> bool {
        let mut buffer = std::mem::take(&mut self.out);
        let mut more = true;
        for _ in 0..BATCHES_PER_TURN {
            buffer.clear();
            let Some(endpoint) = self.connections.get(slot).map(|connection| connection.endpoint) else { break };
            let segments = self.endpoints[endpoint].socket.segments(self.offload);
            let transmit = self.guarded(slot, |connection| {
                let pings = connection.is_established() && connection.gate.owes_ping(now);
                if pings {
                    connection.quic.ping();
                }
                let packets = if pings { 0 } else { connection.feed_datagrams(now, segments) };
                if packets == 0 && !pings && !connection.gate.owes_streams(now) {
                    return connection.quic.poll_transmit(now, segments, &mut buffer);
                }
                connection.gate.set_open(if packets > 0 { Opening::Datagrams } else { Opening::Streams });
                let transmit = connection.quic.poll_transmit(now, packets.max(1), &mut buffer);
                connection.gate.set_open(Opening::Nobody);
                transmit
            });
            let Some(Some(transmit)) = transmit else {
                more = false;
                break;
            };
            self.send(endpoint, &transmit, &buffer);
            if !self.endpoints[endpoint].unsent.is_empty() {
                break;
            }
        }
        self.out = buffer;
        more
    }

    /// Sends a packet or a GSO batch. What the kernel cannot take now waits; any other failure is a lost packet to
    /// QUIC.
    pub fn send(&mut self, endpoint: usize, transmit: &Transmit, buffer: &[u8]) {
        let bytes = &buffer[..transmit.size];
        #[cfg(test)]
        if let Some(captured) = &mut self.captured {
            let packets = bytes.chunks(transmit.segment_size.unwrap_or(bytes.len()));
            captured.extend(packets.map(|packet| Captured { to: transmit.destination, bytes: packet.to_vec() }));
            return;
        }
        let entry = &mut self.endpoints[endpoint];
        let packet = quinn_udp::Transmit {
            destination: transmit.destination,
            ecn: transmit.ecn.and_then(|ecn| quinn_udp::EcnCodepoint::from_bits(ecn as u8)),
            contents: bytes,
            segment_size: transmit.segment_size,
            src_ip: transmit.src_ip,
        };
        if entry.unsent.is_empty() {
            match entry.socket.state.try_send(entry.socket.reference(), &packet) {
                Ok(()) => return self.count_sent(bytes.len(), transmit.segment_size),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    // Path MTU probes above the interface's MTU fail like this; they are answers, not errors.
                    if error.raw_os_error() != Some(rustix::io::Errno::MSGSIZE.raw_os_error()) {
                        self.counters.send_errors += 1;
                    }
                    return;
                }
            }
        }
        if entry.unsent.len() >= MAX_UNSENT {
            self.counters.send_errors += 1;
            return;
        }
        entry.unsent.push_back(Unsent {
            to: packet.destination,
            from: packet.src_ip,
            ecn: packet.ecn,
            segment: packet.segment_size,
            bytes: bytes.to_vec(),
        });
    }

    /// The kernel takes packets again.
    pub fn resume(&mut self, endpoint: usize) {
        let Some(entry) = self.endpoints.get_mut(endpoint) else { return };
        while let Some(waiting) = entry.unsent.front() {
            let packet = quinn_udp::Transmit {
                destination: waiting.to,
                ecn: waiting.ecn,
                contents: &waiting.bytes,
                segment_size: waiting.segment,
                src_ip: waiting.from,
            };
            match entry.socket.state.try_send(entry.socket.reference(), &packet) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.counters.send_errors += 1,
                Ok(()) => {
                    self.counters.bytes_sent += waiting.bytes.len() as u64;
                    self.counters.packets_sent += packets(waiting.bytes.len(), waiting.segment);
                }
            }
            entry.unsent.pop_front();
        }
        for slot in std::mem::take(&mut entry.held) {
            if self.connections.contains(slot) {
                self.mark_dirty(slot);
            }
        }
    }

    fn count_sent(&mut self, bytes: usize, segment: Option<usize>) {
        self.counters.bytes_sent += bytes as u64;
        self.counters.packets_sent += packets(bytes, segment);
    }
}

fn packets(bytes: usize, segment: Option<usize>) -> u64 {
    segment.map_or(1, |segment| bytes.div_ceil(segment.max(1))) as u64
}
