import { z } from 'zod';
import type { ConnectionStats } from '../quic/connection-report.ts';

const count = z.int().min(0).nullable();
const milliseconds = z.number().min(0).nullable();

/** What is known of the QUIC path to one peer; null where the engine does not know (conformance T4). */
export const pathReportSchema = z.object({
  rtt_ms: milliseconds,
  min_rtt_ms: milliseconds,
  packets_sent: count,
  packets_received: count,
  packets_lost: count,
  bytes_sent: count,
  bytes_received: count,
  congestion_window_bytes: count,
  bytes_in_flight: count,
  queued_datagrams: count,
  queued_datagram_bytes: count,
  path_mtu: count,
  max_datagram_size: count,
});

export type PathReport = z.output<typeof pathReportSchema>;

export function toPathReport(stats: ConnectionStats): PathReport {
  return {
    rtt_ms: stats.rttMs,
    min_rtt_ms: stats.minRttMs,
    packets_sent: stats.packetsSent,
    packets_received: stats.packetsReceived,
    packets_lost: stats.packetsLost,
    bytes_sent: stats.bytesSent,
    bytes_received: stats.bytesReceived,
    congestion_window_bytes: stats.congestionWindow,
    bytes_in_flight: stats.bytesInFlight,
    queued_datagrams: stats.queuedDatagrams,
    queued_datagram_bytes: stats.queuedDatagramBytes,
    path_mtu: stats.pathMtu,
    max_datagram_size: stats.maxDatagramSize,
  };
}
