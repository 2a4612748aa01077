import { AppError } from '../../lib/app-error.ts';
import type { QuicConnection, QuicStream, ReadResult, SpliceHandle, SpliceOptions, StreamHandler } from '../types.ts';
import { shutdownRead, shutdownWrite } from './native.ts';
import type { NativeStream, StreamRead } from './native-stream.ts';
import { scratch } from './scratch.ts';
import { spliceStreams, type SpliceEnd, type SpliceSide } from './splice.ts';
import { WriteBacklog } from './write-backlog.ts';

/** Waiting bytes above which `write` asks for a pause; far more than a round of the event loop lets out. */
const highWaterBytes = 64 * 1024;

const nothing = new Uint8Array(0);

/** What a stream needs of the streams of its connection. None of it calls back at once. */
export interface StreamOwner {
  readonly connection: QuicConnection;
  /** Something is to be sent. */
  plan(): void;
  /** Bytes were read; what that allows the peer is to be sent. */
  onRead(bytes: number): void;
  /** Sends what quiche has buffered, which a reset would otherwise keep in its memory for ever. */
  flush(): void;
  /** `retry` is to be called when the peer's acknowledgements have made room. */
  addBlocked(stream: QuicheStream): void;
  /** `deliver` is to be called from the event loop. */
  addEvent(stream: QuicheStream): void;
  /** To be called from the event loop, outside every call of the program. */
  later(callback: () => void): void;
  /** The peer's direction has ended, ours has not. */
  onReadOver(stream: QuicheStream): void;
  /** Both directions have ended. */
  onOver(stream: QuicheStream): void;
}

export class QuicheStream implements QuicStream, SpliceEnd {
  readonly connection: QuicConnection;
  readonly bidirectional: boolean;
  readonly #native: NativeStream;
  readonly #owner: StreamOwner;
  #handler: StreamHandler | null = null;
  #side: SpliceSide | null = null;
  /** `onReadable` is owed. */
  #armed = true;
  #readEnd: Exclude<ReadResult, { kind: 'data' | 'blocked' }> | null = null;
  #writeOver = false;
  #wasReset = false;
  #finishing = false;
  readonly #backlog = new WriteBacklog();
  /** `onWritable` is owed. */
  #refused = false;
  #stopped: number | null = null;

  constructor(native: NativeStream, owner: StreamOwner, directions: 'both' | 'read' | 'write') {
    this.#native = native;
    this.#owner = owner;
    this.connection = owner.connection;
    this.bidirectional = directions === 'both';
    if (directions === 'write') this.#readEnd = { kind: 'reset', code: 0 };
    if (directions === 'read') this.#writeOver = true;
  }

  get id(): number {
    return this.#native.id;
  }

  get queuedBytes(): number {
    return this.#backlog.bytes;
  }

  get writeOver(): boolean {
    return this.#writeOver;
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
  }

  read(maxBytes: number): ReadResult {
    if (this.#readEnd !== null) return this.#readEnd;
    const view = scratch.first(Math.min(Math.max(1, maxBytes), scratch.whole.length));
    const result = this.take(view);
    switch (result.kind) {
      case 'data':
        if (result.length === 0 && result.finished) return { kind: 'finished' };
        return { kind: 'data', bytes: new Uint8Array(view.subarray(0, result.length)) };
      case 'blocked':
      case 'reset':
        return result;
    }
  }

  /** Reads into the caller's buffer. On a direction that has ended: blocked. */
  take(into: Uint8Array): StreamRead {
    if (this.#readEnd !== null) return { kind: 'blocked' };
    const result = this.#native.read(into);
    if (result.kind === 'blocked') this.#armed = true;
    else this.#owner.onRead(result.kind === 'data' ? result.length : 0);
    if (result.kind === 'reset') this.#endRead(result);
    if (result.kind === 'data' && result.finished) this.#endRead({ kind: 'finished' });
    return result;
  }

  /** Asks for `onReadable` even though the last read was not blocked. */
  arm(): void {
    this.#armed = true;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#writeOver || this.#finishing) return true;
    const taken = this.#backlog.isEmpty ? this.#pass(bytes, false) : 0;
    if (this.#isWriteOver()) return true;
    if (taken < bytes.length) this.#enqueue(bytes.subarray(taken));
    this.#refused = this.#backlog.bytes > highWaterBytes;
    return !this.#refused;
  }

  room(): number {
    return this.#writeOver || !this.#backlog.isEmpty ? 0 : this.#native.capacity();
  }

  awaitRoom(): void {
    if (this.#writeOver) return;
    this.#refused = true;
    this.#owner.addBlocked(this);
  }

  put(bytes: Uint8Array, finish: boolean): void {
    if (this.#writeOver) return;
    const taken = this.#backlog.isEmpty ? this.#pass(bytes, finish) : 0;
    if (this.#isWriteOver()) return;
    if (taken < bytes.length) this.#enqueue(Buffer.from(bytes.subarray(taken)));
    if (!finish) return;
    if (this.#backlog.isEmpty) this.#endWrite();
    else this.#finishing = true;
  }

  finish(): void {
    if (this.#writeOver || this.#finishing) return;
    this.#finishing = true;
    this.#finishIfDrained();
  }

  /** Our direction was cut short by `reset`. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  reset(code: number): void {
    if (this.#writeOver) return;
    this.#backlog.clear();
    this.#owner.flush();
    if (this.#isWriteOver()) return;
    this.#native.shutdown(shutdownWrite, code);
    this.#wasReset = true;
    this.#endWrite();
    this.#owner.plan();
  }

  stop(code: number): void {
    if (this.#readEnd !== null) return;
    // quiche gives the connection's flow control back for what is read, not for what is thrown away.
    while (this.take(scratch.whole).kind === 'data' && this.#isReadOpen());
    if (!this.#isReadOpen()) return;
    this.#native.shutdown(shutdownRead, code);
    this.#endRead({ kind: 'reset', code });
    this.#owner.plan();
  }

  splice(other: QuicStream, options: SpliceOptions): SpliceHandle {
    if (!(other instanceof QuicheStream)) throw new AppError('bug', 'the stream belongs to another engine');
    return spliceStreams(this, other, options);
  }

  /** From now on the engine itself handles the stream. */
  attach(side: SpliceSide): void {
    this.#side = side;
    this.#handler = null;
    this.#armed = true;
  }

  later(callback: () => void): void {
    this.#owner.later(callback);
  }

  /** Data, an end or a reset is there. */
  notifyReadable(): void {
    if (!this.#armed || this.#readEnd !== null) return;
    // Before reading, which may be the last thing that quiche wants to know of the stream: then it forgets the stop, too.
    this.checkStop();
    this.#armed = false;
    (this.#side ?? this.#handler)?.onReadable();
  }

  wantsRead(): boolean {
    return this.#armed && this.#readEnd === null;
  }

  isReadable(): boolean {
    return this.#native.isReadable();
  }

  /** There may be room again. False: nothing waits any more. */
  retry(): boolean {
    this.pushOut();
    if (this.#refused && this.#backlog.bytes <= highWaterBytes / 2) {
      this.#refused = false;
      (this.#side ?? this.#handler)?.onWritable();
    }
    return !this.#writeOver && (this.#refused || !this.#backlog.isEmpty);
  }

  /** Gives quiche as much of what waits as it takes. */
  pushOut(): void {
    if (!this.#writeOver) this.#backlog.drain((chunk) => this.#pass(chunk, false));
    this.#finishIfDrained();
  }

  /** Looks for what quiche does not tell. */
  look(): void {
    this.checkStop();
    this.#side?.onLook();
  }

  /** Looks whether the peer has sent STOP_SENDING. */
  checkStop(): void {
    if (this.#writeOver) return;
    const code = this.#native.stopCode();
    if (code !== null) this.#onStopped(code);
  }

  /** Calls back about a STOP_SENDING. */
  deliver(): void {
    const code = this.#stopped;
    if (code === null) return;
    this.#stopped = null;
    (this.#side ?? this.#handler)?.onStopped(code);
  }

  /** The connection is gone. */
  lose(): void {
    this.#backlog.clear();
    this.#writeOver = true;
    this.#readEnd ??= { kind: 'reset', code: 0 };
    this.#handler = null;
    this.#side?.onLost();
  }

  /** Gives bytes to quiche; answers how many it took. */
  #pass(bytes: Uint8Array, finish: boolean): number {
    const result = this.#native.write(bytes, finish);
    if (result.kind === 'stopped') {
      this.#onStopped(result.code);
      return 0;
    }
    this.#owner.plan();
    return result.length;
  }

  #enqueue(bytes: Uint8Array): void {
    this.#backlog.add(bytes);
    this.#owner.addBlocked(this);
  }

  #finishIfDrained(): void {
    if (!this.#finishing || this.#writeOver || !this.#backlog.isEmpty) return;
    this.#pass(nothing, true);
    this.#endWrite();
  }

  /** For control flow after calls that may have ended the direction. */
  #isWriteOver(): boolean {
    return this.#writeOver;
  }

  #isReadOpen(): boolean {
    return this.#readEnd === null;
  }

  #onStopped(code: number): void {
    this.#stopped = code;
    this.#endWrite();
    this.#owner.addEvent(this);
  }

  #endRead(end: Exclude<ReadResult, { kind: 'data' | 'blocked' }>): void {
    if (this.#readEnd !== null) return;
    this.#readEnd = end;
    if (this.#writeOver) this.#owner.onOver(this);
    else this.#owner.onReadOver(this);
  }

  #endWrite(): void {
    if (this.#writeOver) return;
    this.#backlog.clear();
    this.#writeOver = true;
    if (this.#readEnd !== null) this.#owner.onOver(this);
  }
}
