import { crc32c } from './crc32c.ts';

/** The frame of a beat, VLP 0.2 (docs/protocol/beats.md): 32 bytes, little-endian. */
export const BEAT_BYTES = 32;

const versionByte = 2;
const crcOffset = 28;
/** All ones: never a timestamp, and as a nonce only in the last beat of a dying agent. */
const allOnes = 0xffff_ffff_ffff_ffffn;
/** The nonce of the last beat of a dying agent; only with status Critical. */
export const TERMINAL_NONCE = allOnes;
const lastNonce = TERMINAL_NONCE - 1n;

/** In the order of their bytes on the wire: 0, 1, 2. Byte 3, Stall, exists only in observers. */
const statuses = ['Ok', 'Degraded', 'Critical'] as const;
const criticalByte = 2;
const stallByte = 3;
export type BeatStatus = (typeof statuses)[number];

export interface BeatFrame {
  readonly status: BeatStatus;
  /** u32, 2 or more. */
  readonly pid: number;
  /** u64: nanoseconds on the agent's monotonic clock since its client connected. Beats are never ordered by it. */
  readonly timestamp: bigint;
  /** u64: 1 in the first beat, then one more in each; the largest but one is followed by 0. */
  readonly nonce: bigint;
  /** u32: the agent's own. */
  readonly payload: number;
}

/** Why 32 bytes are no frame: the first rule that they break, in this order. */
export type DecodeError =
  | { readonly kind: 'BadMagic' }
  | { readonly kind: 'BadVersion'; readonly version: number }
  /** `expected` is computed over the bytes, `actual` is in the frame. */
  | { readonly kind: 'BadCrc'; readonly expected: number; readonly actual: number }
  | { readonly kind: 'BadStatus'; readonly status: number }
  | { readonly kind: 'StallOnWire' }
  | { readonly kind: 'BadPid'; readonly pid: number }
  | { readonly kind: 'BadTimestamp'; readonly timestamp: bigint }
  | { readonly kind: 'BadNonce'; readonly nonce: bigint; readonly status: BeatStatus };

export type DecodedBeat =
  { readonly kind: 'frame'; readonly frame: BeatFrame } | { readonly kind: 'invalid'; readonly error: DecodeError };

/** Reads the 32 bytes at `offset`. Throws RangeError when they are not there. */
export function decodeBeat(bytes: Uint8Array, offset = 0): DecodedBeat {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, BEAT_BYTES);
  const error = brokenRule(bytes, view, offset);
  if (error !== null) return { kind: 'invalid', error };
  const frame = { status: statusOf(view), pid: pidOf(view), timestamp: view.getBigUint64(8, true) };
  return { kind: 'frame', frame: { ...frame, nonce: nonceOf(view), payload: payloadOf(view) } };
}

/** What an observer uses of a frame. */
export type BeatReading = Omit<BeatFrame, 'timestamp'>;

/** Decodes frames one after the other without an object for each: a flood of beats would fill the heap. */
export class BeatReader {
  readonly #bytes = new Uint8Array(BEAT_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #reading: { -readonly [Key in keyof BeatReading]: BeatReading[Key] } = {
    ...{ status: 'Ok', pid: 0, nonce: 0n, payload: 0 },
  };

  /** Of the last frame that was good; the same object each time. */
  get reading(): BeatReading {
    return this.#reading;
  }

  /** What is wrong with a frame of 32 bytes; null when nothing is, and `reading` has it then. */
  read(bytes: Uint8Array): DecodeError | null {
    this.#bytes.set(bytes);
    const error = brokenRule(this.#bytes, this.#view, 0);
    if (error !== null) return error;
    this.#reading.status = statusOf(this.#view);
    this.#reading.pid = pidOf(this.#view);
    this.#reading.nonce = nonceOf(this.#view);
    this.#reading.payload = payloadOf(this.#view);
    return null;
  }
}

function statusOf(view: DataView): BeatStatus {
  return statuses[view.getUint8(3)] ?? 'Critical';
}

function pidOf(view: DataView): number {
  return view.getUint32(4, true);
}

function nonceOf(view: DataView): bigint {
  return view.getBigUint64(16, true);
}

function payloadOf(view: DataView): number {
  return view.getUint32(24, true);
}

/** The first rule that a frame breaks; null for a good one. */
function brokenRule(bytes: Uint8Array, view: DataView, offset: number): DecodeError | null {
  const error = brokenEnvelope(bytes, view, offset);
  if (error !== null) return error;
  const status = view.getUint8(3);
  if (status === stallByte) return { kind: 'StallOnWire' };
  if (status > stallByte) return { kind: 'BadStatus', status };
  const pid = pidOf(view);
  if (pid < 2) return { kind: 'BadPid', pid };
  if (isAllOnes(view, 8)) return { kind: 'BadTimestamp', timestamp: allOnes };
  if (!isAllOnes(view, 16) || status === criticalByte) return null;
  return { kind: 'BadNonce', nonce: TERMINAL_NONCE, status: statusOf(view) };
}

/** Of a u64, without making a bigint of it. */
function isAllOnes(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === 0xffff_ffff && view.getUint32(at + 4, true) === 0xffff_ffff;
}

function brokenEnvelope(bytes: Uint8Array, view: DataView, offset: number): DecodeError | null {
  if (view.getUint8(0) !== 0x56 || view.getUint8(1) !== 0x41) return { kind: 'BadMagic' };
  const version = view.getUint8(2);
  if (version !== versionByte) return { kind: 'BadVersion', version };
  const expected = crc32c(bytes, offset, offset + crcOffset);
  const actual = view.getUint32(crcOffset, true);
  return expected === actual ? null : { kind: 'BadCrc', expected, actual };
}

/** The frame as a new array. The caller keeps to the rules above: decoding what this returns may fail. */
export function encodeBeat({ status, pid, timestamp, nonce, payload }: BeatFrame): Uint8Array {
  const bytes = new Uint8Array(BEAT_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set([0x56, 0x41, versionByte, statuses.indexOf(status)]);
  view.setUint32(4, pid, true);
  view.setBigUint64(8, timestamp, true);
  view.setBigUint64(16, nonce, true);
  view.setUint32(24, payload, true);
  view.setUint32(crcOffset, crc32c(bytes, 0, crcOffset), true);
  return bytes;
}

/** The nonce of the beat after one with `nonce`. */
export function nextNonce(nonce: bigint): bigint {
  return nonce >= lastNonce ? 0n : nonce + 1n;
}
