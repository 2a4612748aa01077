import { LENGTH_PREFIX_BYTES, MAX_CONTROL_FRAME_BYTES } from './limits.ts';

/** What `FrameReader.next()` found. */
export type FrameRead =
  /** One whole frame without its prefix. The view is valid until the next `push`. */
  | { readonly kind: 'frame'; readonly payload: Uint8Array }
  /** No whole frame is buffered; push more bytes. */
  | { readonly kind: 'incomplete' }
  /** The announced length passes the cap. The stream cannot be read any further: every later read says the same. */
  | { readonly kind: 'oversize'; readonly length: number };

// An idle session keeps at most this much; a larger buffer is given back once its frames are read.
const keptBytes = 4096;
const empty = Buffer.alloc(0);

/**
 * A control frame, [u32 BE length][UTF-8 JSON], in one buffer: it must be written in one write. Readers of existing
 * edges lose sync when another event comes between prefix and body. Throws RangeError above the contract's 1 MiB, which
 * no message of this program reaches.
 */
export function encodeFrame(value: object): Buffer {
  const json = JSON.stringify(value);
  const length = Buffer.byteLength(json);
  if (length > MAX_CONTROL_FRAME_BYTES) throw new RangeError(`control frame of ${length} bytes`);
  const frame = Buffer.allocUnsafe(LENGTH_PREFIX_BYTES + length);
  frame.writeUInt32BE(length);
  frame.write(json, LENGTH_PREFIX_BYTES);
  return frame;
}

/**
 * Splits a byte stream into length-prefixed payloads, however it was cut on the way. Bytes are copied in, so the caller
 * may reuse its read buffer. Memory follows the bytes that have arrived (at most twice as many), never the length that
 * a peer announces. If the caller reads every frame between pushes, at most the cap plus one push is buffered. For data
 * streams, pushing at most `needed` bytes at a time leaves everything after the frame unread in the stream.
 */
export class FrameReader {
  /** Largest payload accepted, in bytes; may be changed at any time and holds from the next `next()` on. */
  maxFrameBytes: number;
  #buffer: Buffer = empty;
  #start = 0;
  #end = 0;
  #oversizeLength: number | null = null;

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /**
   * Bytes held that no returned frame has used. At the stream's end, more than 0 means that it ended inside a frame.
   */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** Bytes missing from the current prefix or payload; 0 when `next()` has something to say. */
  get needed(): number {
    if (this.#oversizeLength !== null) return 0;
    const length = this.#announcedLength();
    if (length === null) return LENGTH_PREFIX_BYTES - this.bufferedBytes;
    if (length > this.maxFrameBytes) return 0;
    return Math.max(0, LENGTH_PREFIX_BYTES + length - this.bufferedBytes);
  }

  /** Takes bytes as they arrive. After an oversize frame they are discarded. */
  push(bytes: Uint8Array): void {
    if (this.#oversizeLength !== null || bytes.length === 0) return;
    this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The next frame; call until it says `incomplete`. */
  next(): FrameRead {
    if (this.#oversizeLength !== null) return { kind: 'oversize', length: this.#oversizeLength };
    const length = this.#announcedLength();
    if (length === null) return { kind: 'incomplete' };
    if (length > this.maxFrameBytes) {
      this.#oversizeLength = length;
      this.#release();
      return { kind: 'oversize', length };
    }
    if (this.bufferedBytes < LENGTH_PREFIX_BYTES + length) return { kind: 'incomplete' };
    const from = this.#start + LENGTH_PREFIX_BYTES;
    const payload = this.#buffer.subarray(from, from + length);
    this.#start = from + length;
    if (this.#start === this.#end) this.#rewind();
    return { kind: 'frame', payload };
  }

  #announcedLength(): number | null {
    return this.bufferedBytes < LENGTH_PREFIX_BYTES ? null : this.#buffer.readUInt32BE(this.#start);
  }

  #makeRoom(extra: number): void {
    if (this.#buffer.length - this.#end >= extra) return;
    const held = this.bufferedBytes;
    const target =
      this.#buffer.length >= held + extra
        ? this.#buffer
        : // Doubling makes one-byte pushes cheap; what has arrived bounds it, so a length alone buys no memory.
          Buffer.allocUnsafeSlow(Math.max(held + extra, held * 2));
    this.#buffer.copy(target, 0, this.#start, this.#end);
    this.#buffer = target;
    this.#start = 0;
    this.#end = held;
  }

  #rewind(): void {
    if (this.#buffer.length > keptBytes) {
      this.#release();
    } else {
      this.#start = 0;
      this.#end = 0;
    }
  }

  #release(): void {
    this.#buffer = empty;
    this.#start = 0;
    this.#end = 0;
  }
}
