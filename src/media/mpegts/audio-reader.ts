import { aacFrameSamples, parseAdtsHeader } from '../codec/aac.ts';
import { ticksPerSecond, type AudioCodec, type AudioUnit } from '../codec/media-unit.ts';
import { opusTicks } from '../codec/opus.ts';
import { decodePesHeader } from './pes.ts';
import type { TimeLine } from './time-line.ts';

/** The frames in the PES packets of one stream of sound. A frame of ADTS may lie across two of them. */
export class AudioReader {
  readonly #codec: AudioCodec;
  readonly #timeLine: TimeLine;
  #rest: Buffer = Buffer.alloc(0);
  #nextPts: number | null = null;

  constructor(codec: AudioCodec, timeLine: TimeLine) {
    this.#codec = codec;
    this.#timeLine = timeLine;
  }

  read(pes: Buffer): readonly AudioUnit[] {
    const header = decodePesHeader(pes);
    if (header === null) return [];
    const content = pes.subarray(header.start);
    const pts = header.pts === null ? null : this.#timeLine.place(header.pts);
    return this.#codec === 'aac' ? this.#adts(pts, content) : this.#opus(pts, content);
  }

  /** The time of a PES packet is that of the first frame that begins in it (ISO/IEC 13818-1 §2.4.3.7). */
  #adts(pts: number | null, content: Buffer): readonly AudioUnit[] {
    const carriedOver = this.#rest.length;
    const bytes = carriedOver === 0 ? content : Buffer.concat([this.#rest, content]);
    const units: AudioUnit[] = [];
    let isTimed = pts === null;
    let at = 0;
    while (at < bytes.length) {
      const frame = parseAdtsHeader(bytes, at);
      if (frame === null) {
        if (at + 7 > bytes.length && bytes[at] === 0xff) break;
        at = nextSync(bytes, at + 1);
        continue;
      }
      if (at + frame.bytes > bytes.length) break;
      if (!isTimed && at >= carriedOver) {
        this.#nextPts = pts;
        isTimed = true;
      }
      const { config } = frame;
      if (this.#nextPts !== null) {
        const content = bytes.subarray(at + frame.headerBytes, at + frame.bytes);
        units.push({ codec: 'aac', pts: Math.round(this.#nextPts), frame: content, config });
        this.#nextPts += (aacFrameSamples * ticksPerSecond) / config.sampleRate;
      }
      at += frame.bytes;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    return units;
  }

  #opus(pts: number | null, content: Buffer): readonly AudioUnit[] {
    const units: AudioUnit[] = [];
    this.#nextPts = pts ?? this.#nextPts;
    for (let at = 0; at < content.length;) {
      const header = opusHeader(content, at);
      if (header === null || header.end > content.length || this.#nextPts === null) break;
      const frame = content.subarray(header.start, header.end);
      units.push({ codec: 'opus', pts: this.#nextPts, frame });
      this.#nextPts += opusTicks(frame);
      at = header.end;
    }
    return units;
  }
}

function nextSync(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(0xff, from);
  return found === -1 ? bytes.length : found;
}

/** The control header of an Opus packet (ETSI TS Opus 0.1.3-draft §4.2): where its content is; null without one. */
function opusHeader(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | null {
  if (at + 3 > bytes.length || (bytes.readUInt16BE(at) & 0xffe0) !== 0x7fe0) return null;
  const flags = bytes[at + 1] ?? 0;
  let start = at + 2;
  let size = 0;
  for (let part = 255; part === 255; start++) {
    part = bytes[start] ?? 0;
    size += part;
  }
  // Two trims of two bytes each, and an extension with its length.
  if ((flags & 0x10) !== 0) start += 2;
  if ((flags & 0x08) !== 0) start += 2;
  if ((flags & 0x04) !== 0) start += 1 + (bytes[start] ?? 0);
  return size === 0 ? null : { start, end: start + size };
}
