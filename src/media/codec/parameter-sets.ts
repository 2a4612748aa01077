import type { VideoCodec, VideoUnit } from './media-unit.ts';
import { nalRole, nalType } from './nal.ts';

const delimiters: Readonly<Record<VideoCodec, Buffer>> = {
  h264: Buffer.from([0x09, 0xf0]),
  h265: Buffer.from([0x46, 0x01, 0x50]),
};

/** More parameter sets than a stream has; a source that sends more loses the first. */
const mostSets = 32;

/** Keeps the latest parameter sets of a stream, so that each key frame carries all of them. */
export class ParameterSets {
  readonly #codec: VideoCodec;
  /** By type and content's id, in the order in which they first came. */
  readonly #sets = new Map<string, Buffer>();

  constructor(codec: VideoCodec) {
    this.#codec = codec;
  }

  /** From outside the stream: SDP, or a sequence header. */
  keep(nals: readonly Buffer[]): void {
    for (const nal of nals) if (nalRole(this.#codec, nal) === 'parameters') this.#keep(nal);
  }

  /** The picture's NAL units with a delimiter, and all parameter sets where it is a key frame. */
  complete({ nals, isKey }: VideoUnit): readonly Buffer[] {
    this.keep(nals);
    const delimiter = delimiters[this.#codec];
    if (!isKey) return [delimiter, ...nals];
    const rest = nals.filter((nal) => nalRole(this.#codec, nal) !== 'parameters');
    const sets = [...this.#sets.values()].sort((one, other) => this.#order(one) - this.#order(other));
    return [delimiter, ...sets, ...rest];
  }

  #keep(nal: Buffer): void {
    const key = `${nalType(this.#codec, nal)} ${setId(this.#codec, nal)}`;
    if (this.#sets.get(key)?.equals(nal) === true) return;
    if (!this.#sets.has(key) && this.#sets.size >= mostSets) this.#sets.delete([...this.#sets.keys()][0] ?? '');
    // A copy: the packet that it came in is not to be kept.
    this.#sets.set(key, Buffer.from(nal));
  }

  /** VPS, SPS, PPS: each refers to the one before. */
  #order(nal: Buffer): number {
    return nalType(this.#codec, nal);
  }
}

/**
 * Which set it replaces. The id of an H.264 or H.265 SPS lies behind fields of variable length. A stream with two SPS
 * has never been seen, so the latest one is used. A PPS begins with its id.
 */
function setId(codec: VideoCodec, nal: Buffer): number {
  const type = nalType(codec, nal);
  if (codec === 'h264') return type === 8 ? expGolomb(nal, 8) : 0;
  if (type === 32) return (nal[2] ?? 0) >> 4;
  return type === 34 ? expGolomb(nal, 16) : 0;
}

/** An unsigned Exp-Golomb number at a bit (ITU-T H.264 §9.1); 0 for one that is not a PPS id. */
function expGolomb(bytes: Buffer, bit: number): number {
  const bitAt = (at: number): number => ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
  let zeros = 0;
  while (zeros < 9 && bitAt(bit + zeros) === 0) zeros++;
  if (zeros === 9) return 0;
  let value = 0;
  for (let at = 0; at <= zeros; at++) value = value * 2 + bitAt(bit + zeros + at);
  return value - 1;
}
