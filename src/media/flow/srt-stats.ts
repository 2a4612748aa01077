import type { SrtConnection } from '../srt/srt-connection.ts';
import type { SrtStats } from './flow-stats.ts';

/** The state of a connection for `stats`; a counter that is not kept is not there. */
export function srtStatsOf(connection: SrtConnection, nowUs: number): SrtStats {
  const { counters, roundTrip, agreement } = connection;
  const limit = connection.bytesPerSecondLimit;
  return {
    state: 'connected',
    rtt_ms: Math.round(roundTrip.rttUs / 10) / 100,
    recv_rate_mbps: Math.round((connection.receivedBytesPerSecond * 8) / 1e4) / 100,
    ...(Number.isFinite(limit) && { max_bw_mbps: (limit * 8) / 1e6 }),
    pkt_sent_total: counters.packetsSent,
    pkt_sent_unique_total: counters.packetsSentUnique,
    pkt_recv_total: counters.packetsReceived,
    pkt_recv_unique_total: counters.packetsReceivedUnique,
    pkt_send_loss_total: counters.packetsSendLoss,
    pkt_recv_loss_total: counters.packetsReceiveLoss,
    pkt_retransmit_total: counters.packetsRetransmitted,
    pkt_recv_retransmit_total: counters.packetsReceivedRetransmitted,
    pkt_send_drop_total: counters.packetsSendDrop,
    pkt_recv_drop_total: counters.packetsReceiveDrop,
    pkt_recv_undecrypt_total: counters.packetsUndecrypted,
    pkt_recv_belated_total: counters.packetsBelated,
    pkt_sent_ack_total: counters.acksSent,
    pkt_recv_ack_total: counters.acksReceived,
    pkt_sent_nak_total: counters.naksSent,
    pkt_recv_nak_total: counters.naksReceived,
    pkt_flow_window: agreement.flightWindow,
    pkt_flight_size: connection.inFlight,
    pkt_send_buf: connection.sendBuffered,
    pkt_recv_buf: connection.receiveBuffered,
    pkt_reorder_distance: counters.reorderDistance,
    byte_sent_total: counters.bytesSent,
    byte_sent_unique_total: counters.bytesSentUnique,
    byte_recv_total: counters.bytesReceived,
    byte_recv_unique_total: counters.bytesReceivedUnique,
    byte_retransmit_total: counters.bytesRetransmitted,
    byte_send_drop_total: counters.bytesSendDrop,
    byte_recv_undecrypt_total: counters.bytesUndecrypted,
    ms_recv_tsbpd_delay: agreement.receiveLatencyMs,
    ms_send_tsbpd_delay: agreement.sendLatencyMs,
    key_refreshes_sent: counters.keyRefreshesSent,
    key_refreshes_received: counters.keyRefreshesReceived,
    uptime_ms: Math.round((nowUs - agreement.heardAtUs) / 1000),
  };
}
