import { parseSocketAddress } from '../../src/lib/socket-address.ts';
import { ALPN } from '../../src/protocol/tunnel/limits.ts';
import { parseTunnelId, type TunnelId } from '../../src/protocol/tunnel/tunnel-id.ts';
import type { TransportSettings } from '../../src/quic/transport-settings.ts';
import type { SocketAddress } from '../../src/quic/types.ts';

const mib = 1024 * 1024;

/** What edges in the field offer (docs/protocol/tunnel.md §1), with queues so long that the relay's are what counts. */
export const edgeTransport: TransportSettings = {
  alpn: ALPN,
  idleTimeoutMs: 25_000,
  keepAliveMs: 5000,
  handshakeTimeoutMs: 6000,
  maxUdpPayload: 1452,
  maxBidiStreams: 1024,
  maxUniStreams: 256,
  streamWindowBytes: 1_250_000,
  connectionWindowBytes: 8 * mib,
  datagramQueueBytes: 2 * mib,
  datagramQueueMs: 1000,
  unprovenBytes: 0,
  uselessBytes: 0,
  localDatagrams: true,
  socketBufferBytes: 4 * mib,
};

/** Throws on anything but `ip:port`. */
export function socketAddress(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
}

/** Throws on anything but a UUID. */
export function knownTunnelId(text: string): TunnelId {
  const id = parseTunnelId(text);
  if (id === null) throw new Error(`not a UUID: ${text}`);
  return id;
}
