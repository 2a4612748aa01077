import type { VideoCodec } from '../codec/media-unit.ts';
import { carried, startsDecoding } from '../codec/nal.ts';
import type { RtpPacket } from './rtp-packet.ts';

/** A picture as large as a muxer takes it; a sender that never ends one goes no farther. */
const maxPictureBytes = 8 * 1_048_576;

export interface AssembledPicture {
  readonly timestamp: number;
  readonly isKey: boolean;
  readonly nals: readonly Buffer[];
}

interface FragmentHeader {
  readonly isStart: boolean;
  readonly isEnd: boolean;
  /** The header of the NAL unit that is fragmented. */
  readonly nalHeader: Buffer;
  /** Bytes in front of the fragment. */
  readonly bytes: number;
}

/** Puts pictures together from RTP (RFC 6184: single, STAP-A, FU-A; RFC 7798: single, aggregation, fragmentation). */
export class VideoDepacketiser {
  readonly #codec: VideoCodec;
  #nals: Buffer[] = [];
  #bytes = 0;
  /** The parts of a fragmented NAL unit; null outside one. */
  #fragments: Buffer[] | null = null;
  #timestamp: number | null = null;
  #nextSequence: number | null = null;
  #isDamaged = false;
  /** Pictures that were dropped because a packet of theirs was missing or could not be read. */
  damaged = 0;

  constructor(codec: VideoCodec) {
    this.#codec = codec;
  }

  /** Packets in order. Returns the pictures that are complete: with the marker, or when the next one begins. */
  push(packet: RtpPacket): readonly AssembledPicture[] {
    const { sequence, timestamp, marker, payload } = packet;
    const isGap = this.#nextSequence !== null && sequence !== this.#nextSequence;
    this.#nextSequence = (sequence + 1) & 0xffff;
    const pictures: AssembledPicture[] = [];
    if (this.#timestamp !== null && timestamp !== this.#timestamp) {
      // Behind a gap it is unknown which unit the missing packets belonged to.
      if (isGap) this.#isDamaged = true;
      pictures.push(...this.#end());
    }
    if (isGap) this.#isDamaged = true;
    this.#timestamp = timestamp;
    if (!this.#isDamaged && !this.#read(payload)) this.#isDamaged = true;
    if (marker) pictures.push(...this.#end());
    return pictures;
  }

  #end(): readonly AssembledPicture[] {
    const nals = carried(this.#codec, this.#nals);
    const timestamp = this.#timestamp ?? 0;
    const isDamaged = this.#isDamaged || this.#fragments !== null;
    this.#nals = [];
    this.#bytes = 0;
    this.#fragments = null;
    this.#timestamp = null;
    this.#isDamaged = false;
    if (isDamaged) this.damaged++;
    if (isDamaged || nals.length === 0) return [];
    return [{ timestamp, isKey: startsDecoding(this.#codec, nals), nals }];
  }

  /** False for a payload that cannot be read. */
  #read(payload: Buffer): boolean {
    this.#bytes += payload.length;
    if (payload.length < 2 || this.#bytes > maxPictureBytes) return false;
    const first = payload.readUInt8(0);
    const type = this.#codec === 'h264' ? first & 0x1f : (first >> 1) & 0x3f;
    if (type === (this.#codec === 'h264' ? 24 : 48)) return this.#aggregated(payload);
    if (type === (this.#codec === 'h264' ? 28 : 49)) return this.#fragment(payload);
    const isSingle = this.#codec === 'h264' ? type >= 1 && type <= 23 : type < 48;
    if (isSingle) this.#nals.push(payload);
    return isSingle && this.#fragments === null;
  }

  #aggregated(payload: Buffer): boolean {
    let at = this.#codec === 'h264' ? 1 : 2;
    while (at + 2 <= payload.length) {
      const end = at + 2 + payload.readUInt16BE(at);
      if (end > payload.length) return false;
      if (end > at + 2) this.#nals.push(payload.subarray(at + 2, end));
      at = end;
    }
    return this.#fragments === null;
  }

  #fragment(payload: Buffer): boolean {
    const header = fragmentHeader(this.#codec, payload);
    if (header === null || header.isStart === (this.#fragments !== null)) return false;
    const fragments = this.#fragments ?? [header.nalHeader];
    fragments.push(payload.subarray(header.bytes));
    this.#fragments = header.isEnd ? null : fragments;
    if (header.isEnd) this.#nals.push(Buffer.concat(fragments));
    return true;
  }
}

function fragmentHeader(codec: VideoCodec, payload: Buffer): FragmentHeader | null {
  const bytes = codec === 'h264' ? 2 : 3;
  if (payload.length <= bytes) return null;
  const first = payload.readUInt8(0);
  const flags = payload.readUInt8(bytes - 1);
  const nalHeader =
    codec === 'h264'
      ? Buffer.from([(first & 0xe0) | (flags & 0x1f)])
      : Buffer.from([(first & 0x81) | ((flags & 0x3f) << 1), payload.readUInt8(1)]);
  return { isStart: (flags & 0x80) !== 0, isEnd: (flags & 0x40) !== 0, nalHeader, bytes };
}
