import { isVideo, type MediaUnit, type VideoUnit } from '../../../src/media/codec/media-unit.ts';
import { encodeRtp } from '../../../src/media/rtp/rtp-packet.ts';

const mtu = 1200;

/** Puts the units of one track into RTP packets, as a camera does. */
export class RtpPacketiser {
  readonly #payloadType: number;
  readonly #clockRate: number;
  sequence: number;

  constructor(payloadType: number, clockRate: number, sequence = 65_500) {
    this.#payloadType = payloadType;
    this.#clockRate = clockRate;
    this.sequence = sequence;
  }

  timestampOf(unit: MediaUnit): number {
    return Math.round((unit.pts * this.#clockRate) / 90_000) >>> 0;
  }

  packets(unit: MediaUnit): Buffer[] {
    const payloads = isVideo(unit) ? videoPayloads(unit) : [unit.codec === 'aac' ? aacPayload(unit.frame) : unit.frame];
    return payloads.map((payload, index) => {
      const sequence = this.sequence;
      this.sequence = (sequence + 1) & 0xffff;
      const marker = index === payloads.length - 1;
      const head = { payloadType: this.#payloadType, sequence, timestamp: this.timestampOf(unit), ssrc: 7, marker };
      return encodeRtp(head, payload);
    });
  }
}

/** Parameter sets in one aggregation packet, large units in fragments. */
function videoPayloads({ codec, nals }: VideoUnit): Buffer[] {
  const small = nals.length > 1 ? nals.slice(0, -1) : [];
  const payloads = small.length === 0 ? [] : [aggregated(codec, small)];
  for (const nal of nals.slice(small.length)) payloads.push(...(nal.length <= mtu ? [nal] : fragments(codec, nal)));
  return payloads;
}

function aggregated(codec: VideoUnit['codec'], nals: readonly Buffer[]): Buffer {
  const head = codec === 'h264' ? Buffer.from([0x78]) : Buffer.from([48 << 1, 1]);
  const sized = nals.flatMap((nal) => [Buffer.from([nal.length >> 8, nal.length & 0xff]), nal]);
  return Buffer.concat([head, ...sized]);
}

function fragments(codec: VideoUnit['codec'], nal: Buffer): Buffer[] {
  const first = nal.readUInt8(0);
  const headerBytes = codec === 'h264' ? 1 : 2;
  const parts: Buffer[] = [];
  for (let at = headerBytes; at < nal.length; at += mtu) {
    const flags = (at === headerBytes ? 0x80 : 0) | (at + mtu >= nal.length ? 0x40 : 0);
    const head =
      codec === 'h264'
        ? Buffer.from([(first & 0xe0) | 28, flags | (first & 0x1f)])
        : Buffer.from([(first & 0x81) | (49 << 1), nal.readUInt8(1), flags | ((first >> 1) & 0x3f)]);
    parts.push(Buffer.concat([head, nal.subarray(at, at + mtu)]));
  }
  return parts;
}

function aacPayload(frame: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 16, frame.length >> 5, (frame.length & 0x1f) << 3]), frame]);
}
