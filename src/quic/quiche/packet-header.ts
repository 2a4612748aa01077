/** Invariant parts of QUIC packets (RFC 8999, RFC 9000 §17), read in place. Ids are views into the packet. */

/**
 * Length of every connection id of ours. 8 bytes leave a peer the most room for its datagrams (docs/protocol/tunnel.md
 * §1).
 */
export const ownIdBytes = 8;

export const quicVersion1 = 1;

/** RFC 9000 §14.1: a UDP payload with an Initial packet of a client is never smaller. */
export const minInitialBytes = 1200;

/**
 * Smaller than any packet that a peer would send to us: first byte, our id, packet number, one byte, tag (RFC 9000
 * §10.3).
 */
export const minShortPacketBytes = 1 + ownIdBytes + 1 + 16;

export interface LongHeader {
  readonly version: number;
  readonly initial: boolean;
  readonly destinationId: Uint8Array;
  readonly sourceId: Uint8Array;
  /** Of an Initial packet of version 1; empty otherwise. */
  readonly token: Uint8Array;
}

const maxIdBytes = 20;

export function isLongHeader(packet: Uint8Array): boolean {
  return ((packet[0] ?? 0) & 0x80) !== 0;
}

/** The bit that is set in every packet of version 1; what lacks it is not QUIC, or not for us. */
export function hasFixedBit(packet: Uint8Array): boolean {
  return ((packet[0] ?? 0) & 0x40) !== 0;
}

/** Null for what is not a long header. */
export function parseLongHeader(packet: Uint8Array): LongHeader | null {
  if (packet.length < 7 || !isLongHeader(packet)) return null;
  const version = new DataView(packet.buffer, packet.byteOffset, packet.length).getUint32(1);
  const destinationEnd = 6 + (packet[5] ?? 0);
  const sourceLength = packet[destinationEnd];
  if (sourceLength === undefined) return null;
  const sourceEnd = destinationEnd + 1 + sourceLength;
  if (sourceEnd > packet.length) return null;
  if (version === quicVersion1 && Math.max(destinationEnd - 6, sourceLength) > maxIdBytes) return null;
  const initial = version === quicVersion1 && ((packet[0] ?? 0) & 0x30) === 0;
  const token = initial ? readToken(packet, sourceEnd) : packet.subarray(0, 0);
  if (token === null) return null;
  return {
    version,
    initial,
    destinationId: packet.subarray(6, destinationEnd),
    sourceId: packet.subarray(destinationEnd + 1, sourceEnd),
    token,
  };
}

function readToken(packet: Uint8Array, at: number): Uint8Array | null {
  const first = packet[at];
  if (first === undefined) return null;
  const lengthBytes = 1 << (first >> 6);
  // Our tokens are far shorter than 16 KiB, so a length of four or eight bytes is not ours.
  if (lengthBytes > 2 || at + lengthBytes > packet.length) return null;
  const length = lengthBytes === 1 ? first & 0x3f : ((first & 0x3f) << 8) | (packet[at + 1] ?? 0);
  const start = at + lengthBytes;
  return start + length > packet.length ? null : packet.subarray(start, start + length);
}
