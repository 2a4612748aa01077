import type { AacConfig } from './aac.ts';

export type VideoCodec = 'h264' | 'h265';
export type AudioCodec = 'aac' | 'opus';

/** One picture. Times are 90 kHz ticks on a line of their own: they do not wrap. */
export interface VideoUnit {
  readonly codec: VideoCodec;
  /** When it is shown. */
  readonly pts: number;
  /** When it is decoded; above `pts` never, below it where the stream has B-frames. */
  readonly dts: number;
  /** A decoder can start here. */
  readonly isKey: boolean;
  /** NAL units without start codes; no access unit delimiters and no filler. */
  readonly nals: readonly Buffer[];
}

/** One frame of AAC without ADTS header, or one Opus packet. */
export type AudioUnit =
  | { readonly codec: 'aac'; readonly pts: number; readonly frame: Buffer; readonly config: AacConfig }
  | { readonly codec: 'opus'; readonly pts: number; readonly frame: Buffer };

/** What every input gives the muxer, and every demuxer gives an output: one picture or one frame of sound. */
export type MediaUnit = VideoUnit | AudioUnit;

export const ticksPerSecond = 90_000;

export function isVideo(unit: MediaUnit): unit is VideoUnit {
  return unit.codec === 'h264' || unit.codec === 'h265';
}
