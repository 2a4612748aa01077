/**
 * What one connection has counted since its handshake: packets and bytes of payload. Plain numbers that the parts of
 * the connection raise; nothing else writes them.
 */
export class SrtCounters {
  packetsSent = 0;
  bytesSent = 0;
  packetsSentUnique = 0;
  bytesSentUnique = 0;
  packetsRetransmitted = 0;
  bytesRetransmitted = 0;
  /** Reported lost by the peer. */
  packetsSendLoss = 0;
  /** Given up by the sender as too late, or for want of room. */
  packetsSendDrop = 0;
  bytesSendDrop = 0;
  packetsReceived = 0;
  bytesReceived = 0;
  packetsReceivedUnique = 0;
  bytesReceivedUnique = 0;
  /** Found missing when a later one came. */
  packetsReceiveLoss = 0;
  /** Arrived with the mark of a retransmission. */
  packetsReceivedRetransmitted = 0;
  /** Not there when their time had come. */
  packetsReceiveDrop = 0;
  /** Came after their time, or twice. */
  packetsBelated = 0;
  /** Came for a buffer that had no room. */
  packetsReceiveOverflow = 0;
  packetsUndecrypted = 0;
  bytesUndecrypted = 0;
  acksSent = 0;
  acksReceived = 0;
  naksSent = 0;
  naksReceived = 0;
  /** Control packets that did not parse or did not fit. */
  malformed = 0;
  keyRefreshesSent = 0;
  keyRefreshesReceived = 0;
  /** Largest distance, in packets, by which one came late without being a retransmission. */
  reorderDistance = 0;
}
