import type { RtpPacket } from './rtp-packet.ts';

export interface AacFormat {
  /** Bits of the length and of the index in each AU header (RFC 3640 §4.1). */
  readonly sizeBits: number;
  readonly indexBits: number;
}

export interface AacFrame {
  /** How many frames it is behind the packet's timestamp. */
  readonly index: number;
  readonly timestamp: number;
  readonly frame: Buffer;
}

/** A frame of AAC is never longer; RFC 3640 says it with 13 bits. */
const maxFrameBytes = 8191;

/** Takes frames out of RTP (RFC 3640, AAC-hbr and AAC-lbr). One that spans packets is put together. */
export class AacDepacketiser {
  readonly #format: AacFormat;
  #parts: Buffer[] = [];
  #missing = 0;
  /** Of the frame that is being put together: all of its fragments have it. */
  #timestamp = 0;
  #nextSequence: number | null = null;

  constructor(format: AacFormat) {
    this.#format = format;
  }

  push({ sequence, timestamp, payload }: RtpPacket): readonly AacFrame[] {
    if (this.#nextSequence !== null && sequence !== this.#nextSequence) this.#missing = 0;
    this.#nextSequence = (sequence + 1) & 0xffff;
    const sizes = this.#sizes(payload);
    if (sizes === null) return [];
    let at = 2 + Math.ceil(payload.readUInt16BE(0) / 8);
    const [only] = sizes;
    if (sizes.length === 1 && only !== undefined && only > payload.length - at) {
      return this.#fragment(timestamp, only, payload.subarray(at));
    }
    this.#missing = 0;
    const frames: AacFrame[] = [];
    for (const [index, size] of sizes.entries()) {
      if (at + size > payload.length) break;
      if (size > 0) frames.push({ index, timestamp, frame: payload.subarray(at, at + size) });
      at += size;
    }
    return frames;
  }

  /** Every fragment says the size of the whole frame. */
  #fragment(timestamp: number, size: number, part: Buffer): readonly AacFrame[] {
    if (size > maxFrameBytes) return [];
    if (this.#missing === 0 || timestamp !== this.#timestamp) {
      this.#timestamp = timestamp;
      this.#parts = [];
      this.#missing = size;
    }
    this.#parts.push(part);
    this.#missing = Math.max(0, this.#missing - part.length);
    if (this.#missing > 0) return [];
    return [{ index: 0, timestamp, frame: Buffer.concat(this.#parts).subarray(0, size) }];
  }

  /** The sizes in the AU headers; null for a payload without them. */
  #sizes(payload: Buffer): readonly number[] | null {
    const { sizeBits, indexBits } = this.#format;
    const headerBits = payload.length < 2 ? 0 : payload.readUInt16BE(0);
    const each = sizeBits + indexBits;
    if (headerBits < each || 2 + Math.ceil(headerBits / 8) > payload.length) return null;
    const sizes: number[] = [];
    for (let bit = 16; bit + each <= 16 + headerBits; bit += each) sizes.push(bitsAt(payload, bit, sizeBits));
    return sizes;
  }
}

function bitsAt(bytes: Buffer, from: number, count: number): number {
  let value = 0;
  for (let bit = from; bit < from + count; bit++) value = value * 2 + (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  return value;
}
