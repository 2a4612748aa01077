import quiche from '@matrixai/quic/native/quiche.js';
import type { Config, Connection } from '@matrixai/quic/native/types.js';

export type QuicheConfig = Config;
export type QuicheHandle = Connection;

export const shutdownRead = quiche.Shutdown.Read;
export const shutdownWrite = quiche.Shutdown.Write;
export type ShutdownDirection = Parameters<QuicheHandle['streamShutdown']>[1];

/**
 * The addresses that quiche gets. Constant, because quiche 0.18 allows only a few address changes in a
 * connection's life and then drops everything silently; the real address is kept by PeerPath.
 */
const nowhere = { host: '::1', port: 1 };
const peer = { host: '::1', port: 2 };
const recvInfo = { from: peer, to: nowhere };

export function acceptHandle(id: Uint8Array, originalId: Uint8Array | null, config: QuicheConfig): QuicheHandle {
  return quiche.Connection.accept(id, originalId, nowhere, peer, config);
}

export function connectHandle(id: Uint8Array, serverName: string, config: QuicheConfig): QuicheHandle {
  return quiche.Connection.connect(serverName, id, nowhere, peer, config);
}

/** Decrypts `packet` in place. Throws for what ends the connection; a packet that means nothing is ignored. */
export function receivePacket(connection: QuicheHandle, packet: Uint8Array): void {
  connection.recv(packet, recvInfo);
}

/** Meaning of an exception that a stream call threw. */
export type StreamFault =
  | { readonly kind: 'reset' | 'stopped'; readonly code: number }
  /** Unknown to quiche, or everything is over on both sides and quiche has forgotten it. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'limit' }
  | { readonly kind: 'other'; readonly error: unknown };

const faultPattern = /^(StreamReset|StreamStopped|InvalidStreamState|StreamLimit|FinalSize)(?:\((\d+)\))?$/;

export function streamFault(error: unknown): StreamFault {
  const match = error instanceof Error ? faultPattern.exec(error.message) : null;
  switch (match?.[1]) {
    case 'StreamReset':
      return { kind: 'reset', code: Number(match[2]) };
    case 'StreamStopped':
      return { kind: 'stopped', code: Number(match[2]) };
    case 'InvalidStreamState':
    case 'FinalSize':
      return { kind: 'gone' };
    case 'StreamLimit':
      return { kind: 'limit' };
    case undefined:
    default:
      return { kind: 'other', error };
  }
}

/** Authentic packets that have arrived on the connection. */
export function packetsAccepted(handle: Pick<QuicheHandle, 'pathStats'>): number {
  return handle.pathStats()[0]?.recv ?? 0;
}
