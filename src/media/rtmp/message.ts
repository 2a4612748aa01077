import { encodeAmf } from './amf0.ts';

/** Message types (Adobe's RTMP specification 1.0, §5.4 and §7.1). */
export const messageType = {
  ...{ chunkSize: 1, abort: 2, acknowledgement: 3, userControl: 4, windowSize: 5, peerBandwidth: 6 },
  ...{ audio: 8, video: 9, dataAmf3: 15, commandAmf3: 17, data: 18, command: 20 },
} as const;

/** In chunks of this size we send. */
export const ownChunkBytes = 4096;

const controlChunkStream = 2;
const commandChunkStream = 3;

/** A message of the protocol itself: one 32-bit number, and what follows it. */
export function controlMessage(type: number, value: number, rest: readonly number[] = []): Buffer {
  const payload = Buffer.alloc(4 + rest.length);
  payload.writeUInt32BE(value >>> 0, 0);
  payload.set(rest, 4);
  return encodeMessage(controlChunkStream, type, 0, payload);
}

/** Answer to a ping (user control event 7). */
export function pong(request: Buffer): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(7, 0);
  request.copy(payload, 2, 2, 6);
  return encodeMessage(controlChunkStream, messageType.userControl, 0, payload);
}

export function commandMessage(
  streamId: number,
  values: readonly (number | string | null | Readonly<Record<string, number | string>>)[],
): Buffer {
  return encodeMessage(commandChunkStream, messageType.command, streamId, encodeAmf(values));
}

/** A message of at most our chunk size, at time 0. */
function encodeMessage(chunkStream: number, type: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header[0] = chunkStream;
  header.writeUIntBE(payload.length, 4, 3);
  header[7] = type;
  header.writeUInt32LE(streamId, 8);
  return Buffer.concat([header, payload]);
}
