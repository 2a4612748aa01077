import { ALPN } from '../../protocol/tunnel/limits.ts';
import type { TransportSettings } from '../../quic/transport-settings.ts';
import { connectDeadlineMs } from './relay-dialler.ts';

/** The connection settings in the `quic` object of an edge's config. */
export interface EdgeQuicSettings {
  readonly maxUdpPayload: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
}

const spareStreams = 24;

/** What an edge offers (docs/protocol/tunnel.md §1); it trusts its relay more than a relay trusts an edge. */
export function edgeTransport(quic: EdgeQuicSettings, maxConnections: number): TransportSettings {
  return {
    alpn: ALPN,
    idleTimeoutMs: quic.idleTimeoutMs,
    keepAliveMs: quic.keepAliveMs,
    handshakeTimeoutMs: connectDeadlineMs,
    maxUdpPayload: quic.maxUdpPayload,
    // Some more, so that a connection above the limit is refused here, by its reason, and does not wait at the relay.
    maxBidiStreams: maxConnections + spareStreams,
    maxUniStreams: 256,
    streamWindowBytes: 1_250_000,
    connectionWindowBytes: 16 * 1_048_576,
    datagramQueueBytes: 256 * 1024,
    datagramQueueMs: 100,
    unprovenBytes: 0,
    uselessBytes: 0,
    localDatagrams: true,
    socketBufferBytes: 4 * 1_048_576,
  };
}
