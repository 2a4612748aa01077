import { ALPN } from '../../../src/protocol/tunnel/limits.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';

/** What a relay offers, for tests of the other end. */
export const relayTransport: TransportSettings = {
  alpn: ALPN,
  idleTimeoutMs: 25_000,
  keepAliveMs: 5000,
  handshakeTimeoutMs: 5000,
  maxUdpPayload: 1452,
  maxBidiStreams: 1024,
  maxUniStreams: 256,
  streamWindowBytes: 1_250_000,
  connectionWindowBytes: 8 * 1_048_576,
  datagramQueueBytes: 256 * 1024,
  datagramQueueMs: 100,
  unprovenBytes: 0,
  uselessBytes: 0,
  localDatagrams: true,
  socketBufferBytes: 4 * 1_048_576,
};
