import type { AacConfig } from '../../../src/media/codec/aac.ts';
import type { AudioUnit, VideoCodec, VideoUnit } from '../../../src/media/codec/media-unit.ts';

export const h264Sets = [
  Buffer.from('6742c01fd9005005bb016a02020280000003008000001907', 'hex'),
  Buffer.from('68cb83cb20', 'hex'),
] as const;
const h265Sets = ['40010c01ffff', '420101016001', '4401c172b0'].map((hex) => Buffer.from(hex, 'hex'));
export const aacConfig: AacConfig = { objectType: 2, sampleRate: 48_000, channels: 2 };

/** Content that holds neither start codes nor too many zeros. */
function content(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => 1 + ((at * 7 + seed) % 250)));
}

/** A picture of about `bytes`; a key frame comes with its parameter sets. */
export function picture(codec: VideoCodec, dts: number, isKey: boolean, bytes = 3000, pts = dts): VideoUnit {
  const header = codec === 'h264' ? [isKey ? 0x65 : 0x41] : [isKey ? 0x26 : 0x02, 0x01];
  const slice = Buffer.concat([Buffer.from(header), content(bytes, dts)]);
  const sets = codec === 'h264' ? h264Sets : h265Sets;
  return { codec, pts, dts, isKey, nals: isKey ? [...sets, slice] : [slice] };
}

export function aacFrame(pts: number, bytes = 300): AudioUnit {
  return { codec: 'aac', pts, frame: content(bytes, pts), config: aacConfig };
}

/** 20 ms of stereo. */
export function opusPacket(pts: number, bytes = 200): AudioUnit {
  return { codec: 'opus', pts, frame: Buffer.concat([Buffer.from([0xfc]), content(bytes, pts)]) };
}
