//! Counters of the engine and of one connection.

use std::time::Instant;

use quinn_proto::{ConnectionStats, FrameStats};

use super::{Connection, Core};
use crate::settings::{ADVERTISED_UDP_PAYLOAD, Settings};

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

/// What a peer may cost before it is closed (docs/conformance.md, A3).
#[derive(Debug, Default)]
pub struct Budget {
    pub proven: bool,
    /// Bytes of packets that the peer sealed.
    bytes: u64,
    /// Frames of all kinds that came so far.
    frames: u64,
    useless: u64,
    seen: Seen,
    next_look: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    received: u64,
    sent: u64,
    useful_frames: u64,
}

/// Received bytes between two looks at what they brought.
const LOOK_BYTES: u64 = 16 * 1024;

impl Budget {
    /// Bytes are useful when they came with stream or datagram frames, or answer what we sent (one acknowledges the
    /// other).
    fn look(&mut self, stats: &ConnectionStats) {
        let now = Seen {
            received: self.bytes,
            sent: stats.udp_tx.bytes,
            useful_frames: stats.frame_rx.stream + stats.frame_rx.datagram,
        };
        let received = now.received - self.seen.received;
        let sent = now.sent - self.seen.sent;
        // A frame makes its whole packet useful, which is no larger than what we advertise.
        let useful = sent + (now.useful_frames - self.seen.useful_frames) * u64::from(ADVERTISED_UDP_PAYLOAD);
        self.useless = (self.useless + received).saturating_sub(useful);
        self.seen = now;
        self.next_look = self.bytes + LOOK_BYTES;
    }
}

fn all_frames(of: &FrameStats) -> u64 {
    let handshake = of.crypto + of.new_token + u64::from(of.handshake_done);
    let data = of.stream + of.datagram + of.reset_stream + of.stop_sending;
    let credit = of.max_data + of.max_stream_data + of.max_streams_bidi + of.max_streams_uni;
    let blocked = of.data_blocked + of.stream_data_blocked + of.streams_blocked_bidi + of.streams_blocked_uni;
    let paths = of.new_connection_id + of.retire_connection_id + of.path_challenge + of.path_response;
    let answers = of.acks + of.ack_frequency + of.immediate_ack + of.ping + of.connection_close;
    handshake + data + credit + blocked + paths + answers
}

impl Connection {
    /// Counts a packet that came under one of the connection's ids. Returns a reason to close the connection, if any.
    /// Only what brought a frame is the peer's: anyone who saw an id can send noise under it, and a peer that sends
    /// padding alone costs no more than such noise.
    pub fn count_received(&mut self, bytes: usize, now: Instant) -> Option<&'static str> {
        let stats = self.quic.stats();
        let frames = all_frames(&stats.frame_rx);
        if std::mem::replace(&mut self.budget.frames, frames) == frames {
            return None;
        }
        self.acks.received(now);
        let Settings { unproven_bytes, useless_bytes, .. } = *self.settings;
        let budget = &mut self.budget;
        budget.bytes += bytes as u64;
        if unproven_bytes > 0 && !budget.proven && budget.bytes > unproven_bytes {
            return Some("too many bytes before the first bind");
        }
        if useless_bytes == 0 || budget.bytes < budget.next_look {
            return None;
        }
        budget.look(&stats);
        (budget.useless > useless_bytes).then_some("too many bytes without use")
    }

    /// Rtt and minimum in ms, packets sent, received, lost, bytes sent, received, congestion window, queued datagrams
    /// and bytes, path MTU, largest datagram; NaN where unknown.
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
