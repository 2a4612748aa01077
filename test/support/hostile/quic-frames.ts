/** Encoders of QUIC frames (RFC 9000 §19, RFC 9221) that no library would send in the forms that an attacker does. */

/** A QUIC variable-length integer in its shortest form. */
export function varint(value: number | bigint): Buffer {
  const big = BigInt(value);
  if (big < 0x40n) return Buffer.of(Number(big));
  if (big < 0x4000n) return uint(0x4000n | big, 2);
  if (big < 0x4000_0000n) return uint(0x8000_0000n | big, 4);
  return uint(0xc000_0000_0000_0000n | big, 8);
}

function uint(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

function frame(type: number, ...fields: (number | bigint | Uint8Array)[]): Buffer {
  return Buffer.concat([varint(type), ...fields.map((field) => (field instanceof Uint8Array ? field : varint(field)))]);
}

export const frames = {
  padding: (bytes: number): Buffer => Buffer.alloc(bytes),
  ping: (): Buffer => frame(0x01),
  /** Acknowledges everything from `smallest` to `largest`, whether it was ever sent or not. */
  ack: (smallest: number, largest: number): Buffer => frame(0x02, largest, 0, 0, largest - smallest),
  resetStream: (id: number, code: number | bigint, finalSize: number | bigint): Buffer =>
    frame(0x04, id, code, finalSize),
  stopSending: (id: number, code: number | bigint): Buffer => frame(0x05, id, code),
  crypto: (offset: number | bigint, bytes: Uint8Array): Buffer => frame(0x06, offset, bytes.length, bytes),
  newToken: (token: Uint8Array): Buffer => frame(0x07, token.length, token),
  stream: (id: number, offset: number | bigint, bytes: Uint8Array, fin = false): Buffer =>
    frame(0x0e | (fin ? 1 : 0), id, offset, bytes.length, bytes),
  maxData: (limit: number | bigint): Buffer => frame(0x10, limit),
  maxStreamData: (id: number, limit: number | bigint): Buffer => frame(0x11, id, limit),
  maxStreamsBidi: (limit: number | bigint): Buffer => frame(0x12, limit),
  dataBlocked: (limit: number | bigint): Buffer => frame(0x14, limit),
  streamDataBlocked: (id: number, limit: number | bigint): Buffer => frame(0x15, id, limit),
  newConnectionId: (sequence: number, retirePriorTo: number, id: Uint8Array): Buffer =>
    frame(0x18, sequence, retirePriorTo, Buffer.of(id.length), id, Buffer.alloc(16, sequence)),
  retireConnectionId: (sequence: number): Buffer => frame(0x19, sequence),
  pathChallenge: (data: Uint8Array): Buffer => frame(0x1a, data),
  pathResponse: (data: Uint8Array): Buffer => frame(0x1b, data),
  connectionClose: (code: number, reason: string): Buffer =>
    frame(0x1d, code, Buffer.byteLength(reason), Buffer.from(reason)),
  handshakeDone: (): Buffer => frame(0x1e),
  datagram: (bytes: Uint8Array): Buffer => frame(0x31, bytes.length, bytes),
} as const;
