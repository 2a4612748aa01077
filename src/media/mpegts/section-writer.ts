import type { AudioCodec, VideoCodec } from '../codec/media-unit.ts';
import { mpegCrc32 } from './crc32.ts';
import { muxPids } from './mux-pids.ts';

/** What a programme carries; null for no such stream. */
export interface TsTracks {
  readonly video: VideoCodec | null;
  readonly audio: AudioCodec | null;
}

const transportStreamId = 1;
const programme = 1;

/** The one entry of a programme association table. */
export function encodePat(): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt16BE(programme, 0);
  body.writeUInt16BE(0xe000 | muxPids.pmt, 2);
  return section(0x00, transportStreamId, 0, body);
}

/** The programme map; `version` is 0 to 31 and changes with the tracks. */
export function encodePmt(tracks: TsTracks, version: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xe000 | pcrPidOf(tracks), 0);
  head.writeUInt16BE(0xf000, 2);
  const streams: Buffer[] = [];
  if (tracks.video === 'h264') streams.push(stream(0x1b, muxPids.video));
  if (tracks.video === 'h265') streams.push(stream(0x24, muxPids.video, registration('HEVC')));
  if (tracks.audio === 'aac') streams.push(stream(0x0f, muxPids.audio));
  if (tracks.audio === 'opus') streams.push(stream(0x06, muxPids.audio, registration('Opus'), opusExtension));
  return section(0x02, programme, version, Buffer.concat([head, ...streams]));
}

export function pcrPidOf({ video }: TsTracks): number {
  return video === null ? muxPids.audio : muxPids.video;
}

/** Extension descriptor of Opus in TS (ETSI TS Opus 0.1.3-draft §3.2); 2: stereo, which decodes mono too. */
const opusExtension = Buffer.from([0x7f, 0x02, 0x80, 0x02]);

function registration(format: string): Buffer {
  return Buffer.concat([Buffer.from([0x05, 0x04]), Buffer.from(format, 'latin1')]);
}

function stream(type: number, pid: number, ...descriptors: readonly Buffer[]): Buffer {
  const information = Buffer.concat(descriptors);
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt16BE(0xe000 | pid, 1);
  head.writeUInt16BE(0xf000 | information.length, 3);
  return Buffer.concat([head, information]);
}

function section(tableId: number, extension: number, version: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(8 + body.length + 4);
  bytes[0] = tableId;
  bytes.writeUInt16BE(0xb000 | (bytes.length - 3), 1);
  bytes.writeUInt16BE(extension, 3);
  bytes[5] = 0xc1 | (version << 1);
  bytes.set(body, 8);
  bytes.writeUInt32BE(mpegCrc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}
