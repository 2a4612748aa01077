import { parseAudioSpecificConfig, type AacConfig } from '../codec/aac.ts';
import { parseAvcConfig, parseHevcConfig, splitSized, type DecoderConfig } from '../codec/decoder-config.ts';
import type { AudioCodec, MediaUnit, VideoCodec } from '../codec/media-unit.ts';
import { carried, startsDecoding } from '../codec/nal.ts';

/** What is in an audio or video message. */
export type FlvContent =
  | { readonly kind: 'video-config'; readonly codec: VideoCodec; readonly parameterSets: readonly Buffer[] }
  | { readonly kind: 'audio-config'; readonly codec: AudioCodec }
  | { readonly kind: 'unit'; readonly unit: MediaUnit }
  /** Neither picture nor sound, or before the decoder's configuration. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unsupported'; readonly what: string };

const nothing: FlvContent = { kind: 'nothing' };
const ticksPerMs = 90;

interface VideoTag {
  readonly codec: VideoCodec;
  readonly isConfig: boolean;
  /** Composition time in front of the NAL units. */
  readonly hasComposition: boolean;
  readonly start: number;
}

/** Reads FLV tags (Adobe Flash Video File Format 10.1 annex E, and Enhanced RTMP's FourCC for H.265). Pure. */
export class FlvReader {
  #video: (DecoderConfig & { readonly codec: VideoCodec }) | null = null;
  #aac: AacConfig | null = null;

  /** `time` is the message's, ms on a line that does not wrap. */
  video(time: number, tag: Buffer): FlvContent {
    const kind = videoTag(tag);
    if (kind === null) return nothing;
    if ('what' in kind) return { kind: 'unsupported', what: kind.what };
    const { codec, isConfig, hasComposition, start } = kind;
    if (isConfig) return this.#videoConfig(codec, tag.subarray(start));
    if (this.#video?.codec !== codec || (hasComposition && tag.length < start + 3)) return nothing;
    const composition = hasComposition ? tag.readIntBE(start, 3) : 0;
    const nals = carried(codec, splitSized(tag.subarray(start + (hasComposition ? 3 : 0)), this.#video.lengthBytes));
    if (nals.length === 0) return nothing;
    const dts = time * ticksPerMs;
    const pts = Math.max(dts, dts + composition * ticksPerMs);
    return { kind: 'unit', unit: { codec, pts, dts, isKey: startsDecoding(codec, nals), nals } };
  }

  audio(time: number, tag: Buffer): FlvContent {
    const format = (tag[0] ?? 0) >> 4;
    if (tag.length < 2) return nothing;
    if (format !== 10) return { kind: 'unsupported', what: `sound of format ${format}; AAC is read` };
    if (tag[1] === 0) {
      // Some encoders send an empty configuration first.
      this.#aac = parseAudioSpecificConfig(tag.subarray(2)) ?? this.#aac;
      return this.#aac === null ? nothing : { kind: 'audio-config', codec: 'aac' };
    }
    if (this.#aac === null || tag.length < 3) return nothing;
    const unit = { codec: 'aac', pts: time * ticksPerMs, frame: tag.subarray(2), config: this.#aac } as const;
    return { kind: 'unit', unit };
  }

  #videoConfig(codec: VideoCodec, record: Buffer): FlvContent {
    const config = codec === 'h264' ? parseAvcConfig(record) : parseHevcConfig(record);
    if (config === null || config.lengthBytes === 3) return nothing;
    this.#video = { ...config, codec };
    return { kind: 'video-config', codec, parameterSets: config.parameterSets };
  }
}

const fourCodecs: ReadonlyMap<string, VideoCodec> = new Map([
  ['avc1', 'h264'],
  ['hvc1', 'h265'],
] as const);

/** Null for a tag that carries no pictures. */
function videoTag(tag: Buffer): VideoTag | { readonly what: string } | null {
  const first = tag[0];
  if (first === undefined || tag.length < 5) return null;
  if ((first & 0x80) !== 0) return enhancedTag(first & 0x0f, tag.toString('latin1', 1, 5));
  const id = first & 0x0f;
  // Frame type 5 is a command to the player.
  if (first >> 4 === 5) return null;
  if (id !== 7 && id !== 12) return { what: `pictures of codec ${id}; H.264 and H.265 are read` };
  const type = tag[1] ?? 0;
  if (type > 1) return null;
  const codec = id === 7 ? 'h264' : 'h265';
  return { codec, isConfig: type === 0, hasComposition: type === 1, start: type === 0 ? 5 : 2 };
}

function enhancedTag(packetType: number, fourCc: string): VideoTag | { readonly what: string } | null {
  const codec = fourCodecs.get(fourCc);
  if (codec === undefined) return { what: `pictures of codec ${printable(fourCc)}; H.264 and H.265 are read` };
  if (packetType === 0) return { codec, isConfig: true, hasComposition: false, start: 5 };
  if (packetType === 1) return { codec, isConfig: false, hasComposition: true, start: 5 };
  return packetType === 3 ? { codec, isConfig: false, hasComposition: false, start: 5 } : null;
}

function printable(fourCc: string): string {
  return JSON.stringify(fourCc.replace(/[^ -~]/g, '?'));
}
