//! `TransportSettings` of `src/quic/transport-settings.ts`, and what quinn makes of them.

use std::{sync::Arc, time::Duration};

use quinn_proto::{AckFrequencyConfig, Dir, IdleTimeout, MtuDiscoveryConfig, Side, TransportConfig, VarInt};

use crate::congestion::LiveConfig;

/// RFC 9000 §14: every path carries this much, or it is no path for QUIC.
pub const MIN_UDP_PAYLOAD: u16 = 1200;
/// Edges cap their path MTU discovery at what we advertise (docs/protocol/tunnel.md §1).
pub const ADVERTISED_UDP_PAYLOAD: u16 = 1472;
/// Enough for a GSO batch. The queue in front of it (`DatagramQueue`) counts what expires, so this one stays short.
pub const QUINN_DATAGRAM_BYTES: usize = 16 * 1024;
/// A receive burst between two turns; drained at the end of each.
const DATAGRAM_RECEIVE_BYTES: usize = 4 * 1024 * 1024;
/// Bounds unacknowledged stream data per connection (conformance S2: ≤ 4 MiB with the receive window and the splice's
/// buffer).
const SEND_WINDOW_BYTES: u64 = 5 * 512 * 1024;
/// What may wait unread on a connection, in connection windows: 128 MiB by default, a hundred streams that nobody
/// reads. The portable engine closes a connection at the same figure.
const UNREAD_WINDOWS: u32 = 16;
/// Late is not lost (RFC 9002 §6.1 lets both thresholds grow; quinn keeps what it is given). Packets that took another
/// way are 30 ms late, which is 60 packets at 2000 a second. A path of 10 ms with as much jitter has round trips of 40.
const PACKET_THRESHOLD: u32 = 256;
const TIME_THRESHOLD: f32 = 2.0;
/// 1326, 1389, 1452: one round trip each; 1420 where the last does not pass.
const MTU_STEP: u16 = 32;
/// A path MTU below the largest is looked at again this often: it costs nothing where the largest passes.
const MTU_SEARCH_INTERVAL: Duration = Duration::from_secs(10);
/// Requested from peers that support ACK_FREQUENCY: one ACK for five packets takes much of a relay's receive work away
/// and still clocks a window of ten.
const ACK_ELICITING_THRESHOLD: u32 = 4;
/// And no later than this, so that a window that losses have made smaller than five packets still moves.
const PEER_ACK_DELAY: Duration = Duration::from_millis(5);

/// quinn keeps table space for every stream that a peer may open (70 KB for 1024), and most legs open one for all their
/// life. 14 of both kinds fill tables of 700 bytes; one more would double them. A peer that dialled us gets the rest
/// when it opens its second stream. A peer that we dialled gets all at once: a relay resets what it cannot hand on in a
/// burst.
const FIRST_BIDI_STREAMS: u32 = 12;
const FIRST_UNI_STREAMS: u32 = 2;

#[derive(Clone, Debug)]
pub struct Settings {
    pub alpn: Vec<u8>,
    pub idle_timeout: Duration,
    pub keep_alive: Duration,
    pub handshake_timeout: Duration,
    pub max_udp_payload: u16,
    pub max_bidi_streams: u32,
    pub max_uni_streams: u32,
    pub stream_window: u32,
    pub connection_window: u32,
    pub datagram_queue_bytes: usize,
    pub datagram_queue_age: Duration,
    pub unproven_bytes: u64,
    pub useless_bytes: u64,
    pub local_datagrams: bool,
    pub socket_buffer_bytes: usize,
}

impl Settings {
    pub fn max_streams(&self, dir: Dir) -> VarInt {
        VarInt::from_u32(match dir {
            Dir::Bi => self.max_bidi_streams,
            Dir::Uni => self.max_uni_streams,
        })
    }

    /// What a connection begins with.
    fn first_streams(&self, dir: Dir, side: Side) -> VarInt {
        let first = match dir {
            Dir::Bi => FIRST_BIDI_STREAMS,
            Dir::Uni => FIRST_UNI_STREAMS,
        };
        match side {
            Side::Client => self.max_streams(dir),
            Side::Server => self.max_streams(dir).min(VarInt::from_u32(first)),
        }
    }

    /// Streams that nobody reads must not use up what the others need, and must not fill the memory.
    fn unread_window(&self) -> u32 {
        self.connection_window.saturating_mul(UNREAD_WINDOWS)
    }

    pub fn transport_config(&self, offload: bool, side: Side) -> Arc<TransportConfig> {
        let mut mtu = MtuDiscoveryConfig::default();
        mtu.upper_bound(self.max_udp_payload.max(MIN_UDP_PAYLOAD))
            .minimum_change(MTU_STEP)
            .black_hole_cooldown(Duration::ZERO)
            .interval(MTU_SEARCH_INTERVAL);
        let mut acks = AckFrequencyConfig::default();
        acks.ack_eliciting_threshold(ACK_ELICITING_THRESHOLD.into())
            .max_ack_delay(Some(PEER_ACK_DELAY))
            .reordering_threshold(VarInt::from_u32(0));

        let mut config = TransportConfig::default();
        config
            .max_idle_timeout(IdleTimeout::try_from(self.idle_timeout).ok())
            .keep_alive_interval(Some(self.keep_alive).filter(|interval| !interval.is_zero()))
            .max_concurrent_bidi_streams(self.first_streams(Dir::Bi, side))
            .max_concurrent_uni_streams(self.first_streams(Dir::Uni, side))
            .stream_receive_window(VarInt::from_u32(self.stream_window))
            .receive_window(VarInt::from_u32(self.unread_window()))
            .send_window(SEND_WINDOW_BYTES)
            .initial_mtu(MIN_UDP_PAYLOAD)
            .mtu_discovery_config(Some(mtu))
            .ack_frequency_config(Some(acks))
            .packet_threshold(PACKET_THRESHOLD)
            .time_threshold(TIME_THRESHOLD)
            .congestion_controller_factory(Arc::new(LiveConfig))
            .datagram_receive_buffer_size(Some(DATAGRAM_RECEIVE_BYTES))
            .datagram_send_buffer_size(QUINN_DATAGRAM_BYTES)
            .enable_segmentation_offload(offload);
        Arc::new(config)
    }
}
