import { z } from 'zod';
import { MAX_BUFFERED_BEFORE_BIND_BYTES, MAX_FRAME_BEFORE_BIND_BYTES } from '../../protocol/tunnel/limits.ts';
import { flag, seconds, whole } from '../../config/schema-parts.ts';

const kib = 1024;
const mib = 1024 * kib;

/** Every cap of the relay, with its default (conformance A1). Sizes are in bytes, times in the unit of the name. */
export const limitsSchema = z.strictObject({
  max_connections: whole(1, 1_000_000).default(10_000).describe('Connections in all.'),
  max_tunnels: whole(1, 1_000_000).default(20_000).describe('Tunnels with at least one leg bound.'),
  max_open_streams: whole(1, 1_000_000).default(32_768).describe('Data streams in all, over all tunnels.'),
  max_bidi_streams: whole(1, 65_536).default(1024).describe('Streams that one edge may have open at once.'),
  max_uni_streams: whole(0, 1024).default(8).describe('One-way streams that one edge may open; none is used.'),
  stream_window_bytes: whole(16 * kib, 64 * mib)
    .default(1_250_000)
    .describe('Flow-control window of a stream.'),
  connection_window_bytes: whole(64 * kib, 1024 * mib)
    .default(8 * mib)
    .describe('A sixteenth of what may wait unread on a connection; over quiche it is closed beyond that.'),
  datagram_queue_bytes: whole(2 * kib, 16 * mib)
    .default(256 * kib)
    .describe('Datagrams that wait for one edge; past it the oldest go.'),
  datagram_queue_ms: whole(1, 10_000).default(100).describe('How long a datagram may wait for its edge.'),
  control_queue_bytes: whole(64 * kib, 16 * mib)
    .default(256 * kib)
    .describe('Control messages that wait for an edge that does not read them; past it the connection is closed.'),
  unproven_bytes: whole(16 * kib, 16 * mib)
    .default(MAX_BUFFERED_BEFORE_BIND_BYTES)
    .describe('Bytes that an edge may send before its first successful bind.'),
  useless_bytes: whole(0, 1024 * mib)
    .default(mib)
    .describe('Bytes of packets without use that one connection may send; 0 = any number.'),
  max_unbound_frame_bytes: whole(1024, mib)
    .default(MAX_FRAME_BEFORE_BIND_BYTES)
    .describe('Size of a control frame before the first successful bind.'),
  handshake_timeout_secs: seconds(0.1, 60).default(5).describe('Time for the QUIC handshake.'),
  control_stream_timeout_secs: seconds(0.1, 60).default(5).describe('Time from there to the control stream.'),
  first_bind_timeout_secs: seconds(0.1, 600).default(10).describe('Time from there to the first successful bind.'),
  stream_header_timeout_secs: seconds(0.1, 60).default(5).describe('Time for the header of a data stream.'),
  always_retry: flag().default(false).describe('Every new connection proves its address by a Retry.'),
  retry_after_handshakes_per_sec: whole(0, 1_000_000)
    .default(200)
    .describe('New connections a second above which they prove their address by a Retry; 0 = never.'),
  accept_rate_per_ip_per_sec: whole(0, 1_000_000)
    .default(50)
    .describe('New connections a second from one address (IPv6: one /64); 0 = any number.'),
  accept_burst_per_ip: whole(1, 1_000_000).default(200).describe('Of these, how many may come at once.'),
  cap_refusals_per_sec: whole(0, 10_000)
    .default(10)
    .describe('Refusals a second of max_connections_per_ip that carry their reason.'),
  max_replacements: whole(0, 1000).default(2).describe('How often a leg may change hands within the window.'),
  replacement_window_secs: seconds(1, 3600).default(30).describe('That window, and how long a leg is then kept.'),
  max_authorizations: whole(1, 1_000_000)
    .default(100_000)
    .describe('Tunnels that a manager may authorise, and revoke; past it the oldest revocation is given up.'),
  max_refusals_remembered: whole(0, 100_000).default(1000).describe('Last refusals kept for "adit why".'),
  rejection_events_per_min: whole(1, 10_000)
    .default(10)
    .describe('Rejection events of one kind from one source; the rest is counted.'),
  stranger_events_per_min: whole(1, 1_000_000)
    .default(1000)
    .describe('Events of one kind that one source causes with tunnels that anyone may bind; the rest is counted.'),
  max_event_sources: whole(1, 1_000_000).default(4096).describe('Sources that have a count of their own for that.'),
  event_journal_bytes: whole(mib, 1024 * 1024 * mib)
    .default(256 * mib)
    .describe('Disk for events that no manager has had yet; past it the oldest of the least severe go.'),
  socket_buffer_bytes: whole(64 * kib, 256 * mib)
    .default(4 * mib)
    .describe('Buffer asked of the kernel for each UDP socket, each way.'),
});
