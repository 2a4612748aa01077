import { AppError } from '../../lib/app-error.ts';
import type { QuicConnection, QuicStream, ReadResult, SpliceHandle, SpliceOptions, StreamHandler } from '../types.ts';
import { shutdownRead } from './binding.ts';
import { blocked, type StreamHandle, type StreamRead } from './stream-handle.ts';
import { EndGuard, type StreamEnding, type WriteEnd } from './quirks/end-guard.ts';
import { scratch } from './scratch.ts';
import { spliceStreams, type SpliceEnd, type SpliceSide } from './splice.ts';
import type { StreamOwner } from './stream-owner.ts';
import { WriteBacklog } from './write-backlog.ts';

/** Waiting bytes above which `write` returns false; far more than a round of the event loop lets out. */
const highWaterBytes = 64 * 1024;

export class QuicheStream implements QuicStream, SpliceEnd {
  readonly connection: QuicConnection;
  readonly bidirectional: boolean;
  readonly #handle: StreamHandle;
  readonly #owner: StreamOwner<QuicheStream>;
  #handler: StreamHandler | null = null;
  #side: SpliceSide | null = null;
  /** `onReadable` is owed. */
  #armed = true;
  #readEnd: Exclude<ReadResult, { kind: 'data' | 'blocked' }> | null = null;
  #writeEnd: WriteEnd | null = null;
  /** An end that is asked for and not given to quiche yet. */
  #ending: StreamEnding | null = null;
  #stopping: number | null = null;
  readonly #guard: EndGuard;
  readonly #backlog = new WriteBacklog();
  /** `onWritable` is owed. */
  #refused = false;
  #stopped: number | null = null;

  constructor(handle: StreamHandle, owner: StreamOwner<QuicheStream>, directions: 'both' | 'read' | 'write') {
    this.#handle = handle;
    this.#owner = owner;
    this.#guard = new EndGuard(handle, owner);
    this.connection = owner.connection;
    this.bidirectional = directions === 'both';
    if (directions === 'write') this.#readEnd = { kind: 'reset', code: 0 };
    if (directions === 'read') this.#writeEnd = 'stopped';
  }

  get id(): number {
    return this.#handle.id;
  }

  get queuedBytes(): number {
    return this.#backlog.bytes;
  }

  /** How our direction ended; null while it has not. */
  get writeEnd(): WriteEnd | null {
    return this.#writeEnd;
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
  }

  read(maxBytes: number): ReadResult {
    if (this.#readEnd !== null) return this.#readEnd;
    if (this.#stopping !== null) return { kind: 'reset', code: this.#stopping };
    const view = scratch.first(Math.min(Math.max(1, maxBytes), scratch.whole.length));
    const result = this.take(view);
    if (result.kind !== 'data') return result;
    if (result.length === 0 && result.finished) return { kind: 'finished' };
    return { kind: 'data', bytes: new Uint8Array(view.subarray(0, result.length)) };
  }

  /** Reads into the caller's buffer. On a direction that has ended: blocked. */
  take(into: Uint8Array): StreamRead {
    if (this.#readEnd !== null) return blocked;
    if (!this.#guard.hasArrived()) {
      this.#armed = true;
      this.#owner.hold(this);
      return blocked;
    }
    const result = this.#handle.read(into);
    if (result.kind === 'blocked') this.#armed = true;
    else this.#owner.onRead(result.kind === 'data' ? result.length : 0);
    if (result.kind === 'reset') this.#endRead(result);
    if (result.kind === 'data' && result.finished) this.#endRead({ kind: 'finished' });
    return result;
  }

  arm(): void {
    this.#armed = true;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.#mayWrite()) return true;
    const taken = this.#backlog.isEmpty ? this.#pass(bytes, false) : 0;
    if (!this.#mayWrite()) return true;
    if (taken < bytes.length) this.#enqueue(bytes.subarray(taken));
    this.#refused = this.#backlog.bytes > highWaterBytes;
    return !this.#refused;
  }

  room(): number {
    return this.#mayWrite() && this.#backlog.isEmpty ? this.#handle.capacity() : 0;
  }

  awaitRoom(): void {
    if (!this.#mayWrite()) return;
    this.#refused = true;
    this.#owner.addBlocked(this);
  }

  put(bytes: Uint8Array, finish: boolean): void {
    if (!this.#mayWrite()) return;
    const taken = this.#backlog.isEmpty && bytes.length > 0 ? this.#pass(bytes, finish) : 0;
    if (!this.#mayWrite()) return;
    if (taken < bytes.length) this.#enqueue(Buffer.from(bytes.subarray(taken)));
    else if (finish && taken > 0) this.#endWrite('finished');
    if (finish) this.finish();
  }

  finish(): void {
    if (!this.#mayWrite()) return;
    this.#ending = 'finish';
    this.#endIfMay();
  }

  reset(code: number): void {
    if (this.#writeEnd !== null) return;
    this.#backlog.clear();
    // What quiche has not sent when a reset comes it would keep in its memory for ever.
    this.#owner.flush();
    this.#ending = { reset: code };
    this.#endIfMay();
  }

  stop(code: number): void {
    this.#stopping ??= code;
    this.#stopIfMay();
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
    if (!this.wantsRead()) return;
    // Before reading, which may be the last thing that quiche wants to know of the stream: then it forgets the stop,
    // too.
    this.checkStop();
    this.#armed = false;
    (this.#side ?? this.#handler)?.onReadable();
  }

  wantsRead(): boolean {
    return this.#armed && this.#readEnd === null && this.#stopping === null;
  }

  isReadable(): boolean {
    return this.#handle.isReadable();
  }

  /** There may be room again. False: nothing waits any more. */
  retry(): boolean {
    this.pushOut();
    if (this.#refused && this.#backlog.bytes <= highWaterBytes / 2) {
      this.#refused = false;
      (this.#side ?? this.#handler)?.onWritable();
    }
    return this.#writeEnd === null && (this.#refused || !this.#backlog.isEmpty);
  }

  /** Gives quiche as much of what waits as it takes; `last`: there will be no other time. */
  pushOut(last = false): void {
    if (this.#writeEnd === null) this.#backlog.drain((chunk) => this.#pass(chunk, false));
    this.#endIfMay(last);
  }

  /** More of what was sent has arrived: what waits for that goes on, or asks to be held again. */
  resume(): void {
    this.#endIfMay();
    this.#stopIfMay();
    if (!this.#guard.hasArrived()) this.#owner.hold(this);
    else if (this.wantsRead() && this.isReadable()) this.notifyReadable();
  }

  /** Looks for what quiche does not report. */
  look(): void {
    this.checkStop();
    if (this.wantsRead() && this.#handle.isReadOver()) this.notifyReadable();
    this.#side?.onLook();
  }

  /** Looks whether the peer has sent STOP_SENDING. */
  checkStop(): void {
    if (this.#writeEnd !== null) return;
    const code = this.#handle.stopCode();
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
    this.#writeEnd ??= 'stopped';
    this.#readEnd ??= { kind: 'reset', code: 0 };
    this.#handler = null;
    this.#side?.onLost();
  }

  /** Gives bytes to quiche; returns how many it took. */
  #pass(bytes: Uint8Array, finish: boolean): number {
    const result = this.#handle.write(bytes, finish);
    if (result.kind === 'stopped') {
      this.#onStopped(result.code);
      return 0;
    }
    if (result.length > 0) this.#guard.wrote();
    this.#owner.plan();
    return result.length;
  }

  #enqueue(bytes: Uint8Array): void {
    this.#backlog.add(bytes);
    this.#owner.addBlocked(this);
  }

  /**
   * Gives the end to quiche that is asked for, when all data has gone before it. `now`: although it may be lost then.
   */
  #endIfMay(now = false): void {
    const ending = this.#ending;
    if (ending === null || !this.#backlog.isEmpty) return;
    this.checkStop();
    if (this.#writeEnd !== null) return;
    if (now || this.#guard.mayEnd(ending)) {
      this.#guard.end(ending);
      this.#endWrite(ending === 'finish' ? 'finished' : 'reset');
      this.#owner.plan();
    }
    this.#owner.hold(this);
  }

  #stopIfMay(): void {
    const code = this.#stopping;
    if (code === null || this.#readEnd !== null) return;
    // What has come counts as useful when it is read (Budget), and may hold the end.
    while (this.take(scratch.whole).kind === 'data' && this.#isReadOpen());
    if (!this.#isReadOpen() || !this.#guard.hasArrived()) return;
    this.#handle.shutdown(shutdownRead, code);
    this.#endRead({ kind: 'reset', code });
    this.#owner.plan();
  }

  #mayWrite(): boolean {
    return this.#writeEnd === null && this.#ending === null;
  }

  /** For control flow after calls that may have ended the direction. */
  #isReadOpen(): boolean {
    return this.#readEnd === null;
  }

  #onStopped(code: number): void {
    this.#stopped = code;
    this.#endWrite('stopped');
    this.#owner.addEvent(this);
  }

  #endRead(end: Exclude<ReadResult, { kind: 'data' | 'blocked' }>): void {
    if (this.#readEnd !== null) return;
    this.#readEnd = end;
    if (this.#writeEnd !== null) this.#owner.onOver(this);
    else this.#owner.onReadOver(this);
  }

  #endWrite(how: WriteEnd): void {
    if (this.#writeEnd !== null) return;
    this.#backlog.clear();
    this.#writeEnd = how;
    if (this.#readEnd !== null) this.#owner.onOver(this);
  }
}
