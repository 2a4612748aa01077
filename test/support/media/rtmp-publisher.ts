import { connect, type Socket } from 'node:net';
import { isVideo, type MediaUnit } from '../../../src/media/codec/media-unit.ts';
import { encodeAmf } from '../../../src/media/rtmp/amf0.ts';
import { h264Sets } from './media-samples.ts';

/** What a publisher sends, as bytes: for the state machine, and for a socket. */

/** C0, C1 and C2. */
export const rtmpGreeting = Buffer.concat([Buffer.from([3]), Buffer.alloc(2 * 1536, 0x31)]);

/** A message in chunks of `chunkBytes`: a full header, then bare ones. */
export function rtmpMessage(type: number, time: number, payload: Buffer, chunkStream = 6, chunkBytes = 128): Buffer {
  const isExtended = time >= 0xff_ffff;
  const header = Buffer.alloc(12);
  header[0] = chunkStream;
  header.writeUIntBE(Math.min(time, 0xff_ffff), 1, 3);
  header.writeUIntBE(payload.length, 4, 3);
  header[7] = type;
  header.writeUInt32LE(1, 8);
  const extended = Buffer.alloc(isExtended ? 4 : 0);
  if (isExtended) extended.writeUInt32BE(time);
  const parts = [header, extended, payload.subarray(0, chunkBytes)];
  for (let at = chunkBytes; at < payload.length; at += chunkBytes) {
    parts.push(Buffer.from([0xc0 | chunkStream]), extended, payload.subarray(at, at + chunkBytes));
  }
  return Buffer.concat(parts);
}

export function rtmpCommand(...values: Parameters<typeof encodeAmf>[0]): Buffer {
  return rtmpMessage(20, 0, encodeAmf(values), 3);
}

/** From connect to publish. */
export function rtmpSetup(app = 'live', key = 'key'): Buffer {
  return Buffer.concat([
    rtmpCommand('connect', 1, { app, type: 'nonprivate', tcUrl: `rtmp://127.0.0.1/${app}` }),
    rtmpCommand('releaseStream', 2, null, key),
    rtmpCommand('createStream', 4, null),
    rtmpCommand('publish', 5, null, key, 'live'),
  ]);
}

function sized(nals: readonly Buffer[]): Buffer {
  return Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );
}

/** Sequence headers of H.264 and of AAC-LC at 48 kHz in stereo. */
export function rtmpConfigs(): Buffer {
  const [sps, pps] = h264Sets;
  const record = Buffer.concat([
    Buffer.from([1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, sps.length]),
    sps,
    Buffer.from([1, 0, pps.length]),
    pps,
  ]);
  const video = Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), record]);
  return Buffer.concat([rtmpMessage(9, 0, video), rtmpMessage(8, 0, Buffer.from([0xaf, 0, 0x11, 0x90]), 4)]);
}

/** A unit of H.264 or AAC; its times in whole milliseconds. */
export function rtmpUnit(unit: MediaUnit): Buffer {
  if (!isVideo(unit)) return rtmpMessage(8, unit.pts / 90, Buffer.concat([Buffer.from([0xaf, 1]), unit.frame]), 4);
  const head = Buffer.from([unit.isKey ? 0x17 : 0x27, 1, 0, 0, 0]);
  head.writeIntBE((unit.pts - unit.dts) / 90, 2, 3);
  return rtmpMessage(9, unit.dts / 90, Buffer.concat([head, sized(unit.nals)]));
}

/** A publisher on a socket. */
export class RtmpPublisher implements AsyncDisposable {
  readonly #socket: Socket;
  readonly closed: Promise<void>;
  received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => (this.received = Buffer.concat([this.received, bytes])));
    // A server that resets the connection has closed it.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => void socket.once('close', () => resolve()));
  }

  static async dial(port: number): Promise<RtmpPublisher> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RtmpPublisher(socket);
  }

  send(...parts: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}
