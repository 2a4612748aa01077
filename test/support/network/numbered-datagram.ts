import { createHash } from 'node:crypto';

const digestBytes = 16;
const headBytes = 16;
/** Number, time and digest. */
const leastNumberedBytes = headBytes + digestBytes;

/** A datagram that tells its number and when it was made, and whether one of its bytes is wrong. `nowMs` is the sender's clock. */
export function numberedDatagram(number: number, bytes: number, nowMs = performance.now()): Buffer {
  const datagram = Buffer.alloc(Math.max(leastNumberedBytes, bytes), number & 0xff);
  datagram.writeDoubleBE(number, 0);
  datagram.writeDoubleBE(nowMs, 8);
  digest(datagram).copy(datagram, headBytes);
  return datagram;
}

export interface Numbered {
  readonly number: number;
  readonly madeAtMs: number;
}

/** Null when the datagram is not what was sent. */
export function readNumbered(datagram: Buffer): Numbered | null {
  if (datagram.length < leastNumberedBytes) return null;
  const copy = Buffer.from(datagram);
  copy.fill(copy.readDoubleBE(0) & 0xff, headBytes, leastNumberedBytes);
  if (!digest(copy).equals(datagram.subarray(headBytes, leastNumberedBytes))) return null;
  return { number: datagram.readDoubleBE(0), madeAtMs: datagram.readDoubleBE(8) };
}

/** Of all but the digest's own place, which holds the filling then. */
function digest(datagram: Buffer): Buffer {
  return createHash('sha256').update(datagram).digest().subarray(0, digestBytes);
}
