import quiche from '@matrixai/quic/native/quiche.js';
import type { Config } from '@matrixai/quic/native/types.js';
import { ALPN } from '../../../src/protocol/tunnel/limits.ts';
import type { SocketAddress } from '../../../src/quic/types.ts';

export interface HostileOptions {
  readonly remote: SocketAddress;
  readonly alpn?: string;
  readonly localIp?: string;
  /** What the relay may send on one stream, and on all, before we read: small ones make a slow reader. */
  readonly streamWindow?: number;
  readonly connectionWindow?: number;
  readonly maxUdpPayload?: number;
  readonly idleTimeoutMs?: number;
  readonly acceptsUniStreams?: number;
  /** What really leaves for each packet of ours: other bytes, several, or none. */
  readonly outgoing?: (packet: Buffer) => readonly Uint8Array[];
  /** False: the packet never reached us. */
  readonly incoming?: (packet: Buffer) => boolean;
  /** A file for the TLS secrets, with which `PacketForge` makes packets that no library would send. */
  readonly keylogPath?: string;
}

export function hostileConfig(options: HostileOptions): Config {
  const config = quiche.Config.withBoringSslCtx(false, false, null, null, null, null);
  const streamWindow = options.streamWindow ?? 1_250_000;
  const connectionWindow = options.connectionWindow ?? 8 * 1024 * 1024;
  config.setApplicationProtos([options.alpn ?? ALPN]);
  config.setMaxIdleTimeout(options.idleTimeoutMs ?? 25_000);
  config.setMaxRecvUdpPayloadSize(1472);
  config.setMaxSendUdpPayloadSize(options.maxUdpPayload ?? 1350);
  config.setInitialMaxData(connectionWindow);
  config.setInitialMaxStreamDataBidiLocal(streamWindow);
  config.setInitialMaxStreamDataBidiRemote(streamWindow);
  config.setInitialMaxStreamDataUni(streamWindow);
  config.setMaxStreamWindow(streamWindow);
  config.setMaxConnectionWindow(connectionWindow);
  config.setInitialMaxStreamsBidi(1024);
  config.setInitialMaxStreamsUni(options.acceptsUniStreams ?? 256);
  config.setActiveConnectionIdLimit(5);
  config.enableDgram(true, 8192, 8192);
  config.enablePacing(false);
  if (options.keylogPath !== undefined) config.logKeys();
  return config;
}
