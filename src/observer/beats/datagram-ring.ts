import { BEAT_BYTES } from '../../protocol/beat/beat-frame.ts';

/**
 * A ring of received datagrams in shared memory: one thread writes, one reads. Header of Int32, then entries of 64
 * bytes: time f64 @0, size u32 @8, flags u32 @12, pid u32 @16, uid u32 @20, errno i32 @24, the first 32 bytes @32.
 */
const headerBytes = 64;
const entryBytes = 64;
const dataOffset = 32;
const wordBytes = 4;
const headIndex = 0;
const tailIndex = 1;
const overflowIndex = 2;
const stopIndex = 3;
const fullIndex = 4;
/** 1 while the reading thread waits for a datagram. */
const waitingIndex = 5;
/** Counts the times that the writing thread was woken. */
const wakesIndex = 6;
const hasCredentials = 1;
const controlCut = 2;
const failed = 4;

/** An entry as read; the same object each time, valid until the callback returns. */
export interface RingEntry {
  receivedNs: number;
  size: number;
  ctrlTruncated: boolean;
  credentials: { pid: number; uid: number } | null;
  /** Receiving failed with this; 0 for a datagram. */
  errno: number;
  bytes: Uint8Array;
  /** The same memory. */
  words: Int32Array;
}

export class DatagramRing {
  readonly memory: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #mask: number;
  readonly #entry = newEntry();
  readonly #credentials = { pid: 0, uid: 0 };

  /** Over memory that another thread made, or new with room for `capacity` datagrams, a power of two. */
  constructor(source: SharedArrayBuffer | { readonly capacity: number }) {
    this.memory =
      source instanceof SharedArrayBuffer ? source : new SharedArrayBuffer(headerBytes + source.capacity * entryBytes);
    this.#header = new Int32Array(this.memory, 0, headerBytes / 4);
    this.#view = new DataView(this.memory);
    this.#words = new Int32Array(this.memory);
    this.#mask = (this.memory.byteLength - headerBytes) / entryBytes - 1;
  }

  /** Datagrams that found no room since the start. */
  get overflow(): number {
    return Atomics.load(this.#header, overflowIndex);
  }

  /** Times that the socket's queue was found full. */
  get fullQueues(): number {
    return Atomics.load(this.#header, fullIndex);
  }

  noteFullQueue(): void {
    Atomics.add(this.#header, fullIndex, 1);
  }

  get stopping(): boolean {
    return Atomics.load(this.#header, stopIndex) === 1;
  }

  /** Asks the writing thread to end. */
  stop(): void {
    Atomics.store(this.#header, stopIndex, 1);
    Atomics.notify(this.#header, stopIndex);
    this.wakeWriter();
  }

  /** Blocks the writing thread, at most `ms` or until `stop`. */
  pauseWriter(ms: number): void {
    Atomics.wait(this.#header, stopIndex, 0, ms);
  }

  /** To be read before the socket is, and given to `rest`. */
  get wakes(): number {
    return Atomics.load(this.#header, wakesIndex);
  }

  /** Blocks the writing thread, at most `ms`; not if it was woken since `wakes` was read. */
  rest(ms: number, wakes: number): void {
    Atomics.wait(this.#header, wakesIndex, wakes, ms);
  }

  /** Ends a rest of the writing thread: something in the socket's queue must not wait. */
  wakeWriter(): void {
    Atomics.add(this.#header, wakesIndex, 1);
    Atomics.notify(this.#header, wakesIndex);
  }

  /** Datagrams that can be read. */
  get waiting(): number {
    return (Atomics.load(this.#header, headIndex) - Atomics.load(this.#header, tailIndex)) | 0;
  }

  /** When the datagram that is read next was received; null when there is none. */
  get oldestNs(): number | null {
    if (this.waiting === 0) return null;
    return this.#view.getFloat64(this.#startOf(Atomics.load(this.#header, tailIndex)), true);
  }

  /** Resolves once there is something to read. */
  async readable(): Promise<void> {
    Atomics.store(this.#header, waitingIndex, 1);
    const tail = Atomics.load(this.#header, tailIndex);
    const wait = Atomics.waitAsync(this.#header, headIndex, tail);
    if (wait.async) await wait.value;
    Atomics.store(this.#header, waitingIndex, 0);
  }

  /** Copies a datagram in; counts it as overflow when the ring is full. Readers see it after `publish`. */
  write(at: number, message: Omit<RingEntry, 'bytes' | 'words'>, data: Int32Array, dataStart: number): boolean {
    const head = (Atomics.load(this.#header, headIndex) + at) | 0;
    if (((head - Atomics.load(this.#header, tailIndex)) | 0) > this.#mask) {
      Atomics.add(this.#header, overflowIndex, 1);
      return false;
    }
    const start = this.#startOf(head);
    const { credentials } = message;
    let flags = message.ctrlTruncated ? controlCut : 0;
    if (credentials !== null) flags |= hasCredentials;
    if (message.errno !== 0) flags |= failed;
    this.#view.setFloat64(start, message.receivedNs, true);
    this.#view.setUint32(start + 8, message.size, true);
    this.#view.setUint32(start + 12, flags, true);
    this.#view.setUint32(start + 16, credentials?.pid ?? 0, true);
    this.#view.setUint32(start + 20, credentials?.uid ?? 0, true);
    this.#view.setInt32(start + 24, message.errno, true);
    copyWords(data, dataStart / wordBytes, this.#words, (start + dataOffset) / wordBytes);
    return true;
  }

  /** Shows the reader `count` datagrams that were written, and wakes it where it waits. */
  publish(count: number): void {
    Atomics.add(this.#header, headIndex, count);
    if (Atomics.load(this.#header, waitingIndex) === 1) Atomics.notify(this.#header, headIndex);
  }

  /** Reads up to `limit` datagrams; returns how many. */
  drain(limit: number, take: (entry: RingEntry) => void): number {
    const head = Atomics.load(this.#header, headIndex);
    let tail = Atomics.load(this.#header, tailIndex);
    let count = 0;
    const entry = this.#entry;
    while (tail !== head && count < limit) {
      this.#read(this.#startOf(tail));
      tail = (tail + 1) | 0;
      count += 1;
      Atomics.store(this.#header, tailIndex, tail);
      take(entry);
    }
    return count;
  }

  #startOf(index: number): number {
    return headerBytes + (index & this.#mask) * entryBytes;
  }

  #read(start: number): void {
    const [entry, credentials] = [this.#entry, this.#credentials];
    const flags = this.#view.getUint32(start + 12, true);
    entry.receivedNs = this.#view.getFloat64(start, true);
    entry.size = this.#view.getUint32(start + 8, true);
    entry.ctrlTruncated = (flags & controlCut) !== 0;
    entry.errno = (flags & failed) === 0 ? 0 : this.#view.getInt32(start + 24, true);
    credentials.pid = this.#view.getUint32(start + 16, true);
    credentials.uid = this.#view.getUint32(start + 20, true);
    entry.credentials = (flags & hasCredentials) === 0 ? null : credentials;
    copyWords(this.#words, (start + dataOffset) / wordBytes, entry.words, 0);
  }
}

function newEntry(): RingEntry {
  const words = new Int32Array(BEAT_BYTES / wordBytes);
  const bytes = new Uint8Array(words.buffer);
  return { receivedNs: 0, size: 0, ctrlTruncated: false, credentials: null, errno: 0, bytes, words };
}

/** The 32 bytes of a beat; word by word it takes a quarter of the time. */
function copyWords(from: Int32Array, fromWord: number, to: Int32Array, toWord: number): void {
  for (let index = 0; index < BEAT_BYTES / wordBytes; index += 1) to[toWord + index] = from[fromWord + index] ?? 0;
}
