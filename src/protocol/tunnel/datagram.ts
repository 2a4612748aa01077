import { TUNNEL_ID_BYTES } from './limits.ts';

/** A QUIC DATAGRAM taken apart; both parts are views of the datagram, not copies. */
export interface DatagramParts {
  readonly prefix: Uint8Array;
  readonly payload: Uint8Array;
}

/** Tunnel id prefix (16 bytes) and payload in one new buffer; the one copy that a UDP packet costs on its way in. */
export function joinDatagram(prefix: Uint8Array, payload: Uint8Array): Buffer {
  const datagram = Buffer.allocUnsafe(TUNNEL_ID_BYTES + payload.length);
  datagram.set(prefix);
  datagram.set(payload, TUNNEL_ID_BYTES);
  return datagram;
}

/** Takes a datagram apart; null when it is shorter than its 16-byte prefix (dropped and counted as malformed). */
export function splitDatagram(datagram: Uint8Array): DatagramParts | null {
  if (datagram.length < TUNNEL_ID_BYTES) return null;
  return { prefix: datagram.subarray(0, TUNNEL_ID_BYTES), payload: datagram.subarray(TUNNEL_ID_BYTES) };
}

/** Whether a datagram belongs to the tunnel with this 16-byte prefix; allocates nothing. */
export function hasPrefix(datagram: Uint8Array, prefix: Uint8Array): boolean {
  if (datagram.length < TUNNEL_ID_BYTES) return false;
  for (let i = 0; i < TUNNEL_ID_BYTES; i++) if (datagram[i] !== prefix[i]) return false;
  return true;
}
