/** One message, put together from its chunks. */
export interface RtmpMessage {
  readonly type: number;
  /** ms, 32 bits. */
  readonly timestamp: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** A key frame of 100 Mbit/s at one a second has 2 MB at most; a message can say 16 MiB. */
const maxMessageBytes = 8 * 1_048_576;
/** Messages that are not complete, over all chunk streams. */
const maxHeldBytes = 2 * maxMessageBytes;
/** A publisher uses four to six. */
const maxChunkStreams = 64;

const messageHeaderBytes = [11, 7, 3, 0] as const;
const extended = 0xff_ffff;

interface ChunkStream {
  timestamp: number;
  delta: number;
  length: number;
  type: number;
  streamId: number;
  isExtended: boolean;
  parts: Buffer[];
  held: number;
}

/** Takes RTMP chunks apart (Adobe's RTMP specification 1.0, §5.3). Pure; holds no more than the limits above. */
export class ChunkReader {
  #chunkBytes = 128;
  #rest: Buffer = Buffer.alloc(0);
  readonly #streams = new Map<number, ChunkStream>();
  #held = 0;
  /** The chunk whose header was read, and how many bytes of it are to come. */
  #open: { readonly stream: ChunkStream; left: number } | null = null;
  /** Why nothing more can be read; null while it can. */
  #problem: string | null = null;

  get problem(): string | null {
    return this.#problem;
  }

  /** The peer's Set Chunk Size: in force for the next chunk, also one that has already come. */
  set chunkBytes(bytes: number) {
    this.#chunkBytes = Math.max(1, Math.min(bytes & 0x7fff_ffff, maxMessageBytes));
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /** The next complete message; null until more has come, or where `problem` says why not. */
  next(): RtmpMessage | null {
    while (this.#problem === null) {
      const outcome = this.#chunk();
      if (outcome !== 'more') return outcome;
    }
    return null;
  }

  /** Forgets what has come of a message (Abort Message). */
  abort(chunkStreamId: number): void {
    const stream = this.#streams.get(chunkStreamId);
    if (stream !== undefined) this.#release(stream);
  }

  /** Reads a header, or what has come of a chunk. 'more' where there is more to read at once. */
  #chunk(): RtmpMessage | 'more' | null {
    if (this.#open !== null) return this.#content(this.#open);
    const bytes = this.#rest;
    const basic = basicHeader(bytes);
    if (basic === null) return null;
    const headerBytes = messageHeaderBytes[basic.format];
    const at = basic.bytes;
    if (bytes.length < at + headerBytes) return null;
    const stream = this.#stream(basic.id, basic.format);
    if (stream === null) return null;
    const isExtended = headerBytes === 0 ? stream.isExtended : bytes.readUIntBE(at, 3) === extended;
    const start = at + headerBytes + (isExtended ? 4 : 0);
    if (bytes.length < start) return null;
    const length = headerBytes >= 7 ? bytes.readUIntBE(at + 3, 3) : stream.length;
    this.#problem = this.#problemOf(stream, length, headerBytes);
    if (this.#problem !== null) return null;
    if (stream.held === 0) readHeader(stream, bytes, at, headerBytes, isExtended);
    this.#rest = bytes.subarray(start);
    this.#open = { stream, left: Math.min(this.#chunkBytes, length - stream.held) };
    return 'more';
  }

  #problemOf(stream: ChunkStream, length: number, headerBytes: number): string | null {
    if (length > maxMessageBytes) return `a message of ${length} bytes; the limit is ${maxMessageBytes}`;
    if (stream.held > 0 && headerBytes >= 7 && length !== stream.length) return 'a message in a message';
    return this.#held + Math.min(this.#chunkBytes, length) > maxHeldBytes ? 'too many messages at once' : null;
  }

  /** Takes what has come of the open chunk: a large chunk is not collected twice. */
  #content(open: { readonly stream: ChunkStream; left: number }): RtmpMessage | 'more' | null {
    const { stream } = open;
    const part = this.#rest.subarray(0, open.left);
    if (part.length === 0 && open.left > 0) return null;
    this.#rest = this.#rest.subarray(part.length);
    open.left -= part.length;
    stream.parts.push(part);
    stream.held += part.length;
    this.#held += part.length;
    if (open.left > 0) return null;
    this.#open = null;
    if (stream.held < stream.length) return 'more';
    const { type, timestamp, streamId } = stream;
    // Always a copy: the bytes that came in are let go.
    const payload = Buffer.concat(stream.parts, stream.held);
    this.#release(stream);
    return { type, timestamp, streamId, payload };
  }

  #release(stream: ChunkStream): void {
    this.#held -= stream.held;
    stream.parts = [];
    stream.held = 0;
  }

  #stream(id: number, format: number): ChunkStream | null {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    if (format !== 0) this.#problem = `chunk stream ${id} begins without a full header`;
    else if (this.#streams.size >= maxChunkStreams) this.#problem = `more than ${maxChunkStreams} chunk streams`;
    if (this.#problem !== null) return null;
    const stream = { timestamp: 0, delta: 0, length: 0, type: 0, streamId: 0, isExtended: false, parts: [], held: 0 };
    this.#streams.set(id, stream);
    return stream;
  }
}

interface BasicHeader {
  readonly format: 0 | 1 | 2 | 3;
  readonly id: number;
  readonly bytes: number;
}

function basicHeader(bytes: Buffer): BasicHeader | null {
  const [first, second, third] = bytes;
  if (first === undefined) return null;
  const format = (first >> 6) as BasicHeader['format'];
  const id = first & 0x3f;
  if (id > 1) return { format, id, bytes: 1 };
  if (second === undefined) return null;
  if (id === 0) return { format, id: 64 + second, bytes: 2 };
  return third === undefined ? null : { format, id: 64 + second + third * 256, bytes: 3 };
}

/** A header at the start of a message. Without one, the message is like the one before, and as much later. */
function readHeader(stream: ChunkStream, bytes: Buffer, at: number, headerBytes: number, isExtended: boolean): void {
  if (headerBytes >= 3) {
    stream.isExtended = isExtended;
    stream.delta = isExtended ? bytes.readUInt32BE(at + headerBytes) : bytes.readUIntBE(at, 3);
  }
  if (headerBytes >= 7) {
    stream.length = bytes.readUIntBE(at + 3, 3);
    stream.type = bytes.readUInt8(at + 6);
  }
  if (headerBytes === 11) {
    stream.streamId = bytes.readUInt32LE(at + 7);
    stream.timestamp = stream.delta;
    // A message that repeats this header whole comes at the same time.
    stream.delta = 0;
  } else {
    stream.timestamp = (stream.timestamp + stream.delta) >>> 0;
  }
}
