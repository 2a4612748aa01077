//! Counters of the engine and of one connection.

use super::{Connection, Core};
use crate::settings::ADVERTISED_UDP_PAYLOAD;

/// `EngineCounters` of the port, in its order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub unbound_sender: u64,
    pub malformed: u64,
    pub stray_packets: u64,
    pub packets_received: u64,
    pub packets_sent: u64,
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub retries_sent: u64,
    pub resets_sent: u64,
    pub refusals_sent: u64,
    pub handshakes_started: u64,
    pub handshakes_failed: u64,
    pub send_errors: u64,
}

impl Counters {
    pub fn in_order(&self) -> [u64; 13] {
        [
            self.unbound_sender,
            self.malformed,
            self.stray_packets,
            self.packets_received,
            self.packets_sent,
            self.bytes_received,
            self.bytes_sent,
            self.retries_sent,
            self.resets_sent,
            self.refusals_sent,
            self.handshakes_started,
            self.handshakes_failed,
            self.send_errors,
        ]
    }
}

const STATS_FIELDS: usize = 12;
/// Measured beside the structure itself: rustls' state, quinn's tables, packet buffers at rest.
const TLS_AND_BUFFERS: usize = 16 * 1024;

/// What a peer may cost before it is closed (conformance A3, native-quiche.md).
#[derive(Debug, Default)]
pub struct Budget {
    pub proven: bool,
    pub packets: u64,
    pub bytes: u64,
    useless: u64,
    seen: Seen,
    next_look: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    received: u64,
    sent: u64,
    frames: u64,
}

/// Received bytes between two looks at what they brought.
const LOOK_BYTES: u64 = 16 * 1024;

impl Connection {
    /// Notes a received packet; the answer is a reason to close the connection.
    pub fn spend(&mut self, bytes: usize) -> Option<&'static str> {
        self.budget.packets += 1;
        self.budget.bytes += bytes as u64;
        let limit = self.settings.unproven_bytes;
        if limit > 0 && !self.budget.proven && self.budget.bytes > limit {
            return Some("too many bytes before the first bind");
        }
        if self.settings.useless_bytes == 0 || self.budget.bytes < self.budget.next_look {
            return None;
        }
        self.budget.next_look = self.budget.bytes + LOOK_BYTES;
        self.look();
        (self.budget.useless > self.settings.useless_bytes).then_some("too many bytes without use")
    }

    /// Bytes are useful when they came with stream or datagram frames, or answer what we sent (one acknowledges the other).
    fn look(&mut self) {
        let stats = self.quic.stats();
        let now = Seen {
            received: stats.udp_rx.bytes,
            sent: stats.udp_tx.bytes,
            frames: stats.frame_rx.stream + stats.frame_rx.datagram,
        };
        let received = now.received - self.budget.seen.received;
        let sent = now.sent - self.budget.seen.sent;
        // A frame makes its whole packet useful, which is no larger than what we advertise.
        let useful = sent + (now.frames - self.budget.seen.frames) * u64::from(ADVERTISED_UDP_PAYLOAD);
        self.budget.useless = (self.budget.useless + received).saturating_sub(useful);
        self.budget.seen = now;
    }

    /// Rtt and minimum in ms, packets sent, received, lost, bytes sent, received, congestion window, queued datagrams and bytes,
    /// path MTU, largest datagram; NaN where unknown.
    pub fn stats(&mut self) -> [f64; STATS_FIELDS] {
        let stats = self.quic.stats();
        let largest = self.quic.datagrams().max_size();
        [
            stats.path.rtt.as_secs_f64() * 1e3,
            stats.path.min_rtt.as_secs_f64() * 1e3,
            stats.udp_tx.datagrams as f64,
            stats.udp_rx.datagrams as f64,
            stats.path.lost_packets as f64,
            stats.udp_tx.bytes as f64,
            stats.udp_rx.bytes as f64,
            stats.path.cwnd as f64,
            self.queue.len() as f64,
            self.queue.bytes() as f64,
            f64::from(stats.path.current_mtu),
            largest.map_or(f64::NAN, |bytes| bytes as f64),
        ]
    }
}

impl Core {
    /// Live connections, and what they are estimated to hold.
    pub fn load(&self) -> (u64, u64) {
        let count = self.connections.len();
        let each = size_of::<Connection>() + TLS_AND_BUFFERS;
        (self.live_connections, (count * each) as u64)
    }
}
