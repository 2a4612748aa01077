import type { SpliceHandle, SpliceOptions, StreamHandler } from '../types.ts';
import type { QuicheLedger } from './ledger.ts';
import { ownLedger } from './route.ts';
import { scratch } from './scratch.ts';
import type { StreamRead } from './stream-handle.ts';

/** A handler inside the engine, which is called at the connection's end, too. */
export interface SpliceSide extends StreamHandler {
  /** From time to time, while packets arrive. */
  onLook(): void;
  onLost(): void;
}

/** What a splice does to each of its two streams. */
export interface SpliceEnd {
  /** From now on `side` is called for what happens on the stream. */
  attach(side: SpliceSide): void;
  /** Reads into `into`. */
  take(into: Uint8Array): StreamRead;
  /** Asks for `onReadable` even though the last read was not blocked. */
  arm(): void;
  /** `onReadable`, if it was asked for. */
  notifyReadable(): void;
  /** Bytes that QUIC takes now. */
  room(): number;
  /** Asks for `onWritable`. */
  awaitRoom(): void;
  /** Takes all of `bytes`, which stay the caller's. `finish`: FIN after the last byte. */
  put(bytes: Uint8Array, finish: boolean): void;
  reset(code: number): void;
  stop(code: number): void;
  /** Calls back from the event loop. */
  later(callback: () => void): void;
}

/** Reads of up to 64 KiB that one stream may make before others have their turn. */
const readsPerTurn = 4;

/**
 * One direction: from the source's peer to the sink's peer. It reads no more than the sink takes, so nothing is held
 * between them and QUIC's own windows are the only buffers.
 */
class Lane {
  readonly source: SpliceEnd;
  readonly sink: SpliceEnd;
  readonly #ledger: QuicheLedger;
  readonly #onOver: () => void;
  #over = false;
  /** The sink has no room, so the source is not read. */
  #paused = false;

  constructor(source: SpliceEnd, sink: SpliceEnd, ledger: QuicheLedger, onOver: () => void) {
    this.source = source;
    this.sink = sink;
    this.#ledger = ledger;
    this.#onOver = onOver;
  }

  pump(): void {
    for (let reads = 0; reads < readsPerTurn; reads += 1) if (!this.#move()) return;
    // More may wait: others first.
    this.source.arm();
    this.source.later(() => this.source.notifyReadable());
  }

  /** A reset or a bare FIN of the source overtakes what a paused pipe has not read; reading nothing shows it. */
  lookForEnd(): void {
    if (this.#over || !this.#paused) return;
    const result = this.source.take(scratch.first(0));
    if (result.kind === 'reset') this.reset(result.code);
    if (result.kind === 'data' && result.finished) this.#pass(scratch.first(0), true);
  }

  /** The sink's peer wants no more. */
  stop(code: number): void {
    if (this.#over) return;
    this.source.stop(code);
    this.#end();
  }

  /** The source will bring no more, and not all came. */
  reset(code: number): void {
    if (this.#over) return;
    this.sink.reset(code);
    this.#end();
  }

  abort(code: number): void {
    if (this.#over) return;
    this.sink.reset(code);
    this.source.stop(code);
    this.#end();
  }

  /** False: there is nothing more to do now. */
  #move(): boolean {
    if (this.#over) return false;
    const room = Math.min(this.sink.room(), scratch.whole.length);
    this.#paused = room === 0;
    if (this.#paused) {
      this.sink.awaitRoom();
      this.lookForEnd();
      return false;
    }
    const result = this.source.take(scratch.first(room));
    if (result.kind === 'reset') this.reset(result.code);
    if (result.kind !== 'data') return false;
    this.#pass(scratch.first(result.length), result.finished);
    if (result.length === room) return !result.finished;
    // There was no more, so asking again can wait for the next packet.
    this.source.arm();
    return false;
  }

  #pass(bytes: Uint8Array, last: boolean): void {
    this.#ledger.streamBytes += bytes.length;
    this.sink.put(bytes, last);
    if (last) this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#onOver();
  }
}

/** The calls of one of the two streams: it is the source of one lane and the sink of the other. */
function side(from: Lane, to: Lane, onLost: () => void): SpliceSide {
  return {
    onReadable: () => from.pump(),
    onWritable: () => to.pump(),
    onStopped: (code) => to.stop(code),
    onLook: () => from.lookForEnd(),
    onLost,
  };
}

export function spliceStreams(one: SpliceEnd, other: SpliceEnd, options: SpliceOptions): SpliceHandle {
  let open = 2;
  let aborted = false;
  const onOver = (): void => {
    open -= 1;
    // Never inside a call of the program, such as abort.
    if (open === 0) one.later(options.onEnd);
  };
  const forward = new Lane(one, other, ownLedger(options.forward), onOver);
  const backward = new Lane(other, one, ownLedger(options.backward), onOver);
  const lose = (): void => {
    forward.abort(options.lostCode);
    backward.abort(options.lostCode);
  };
  one.attach(side(forward, backward, lose));
  other.attach(side(backward, forward, lose));
  // Later, because a pump may end the splice, and the caller has no handle yet.
  one.later(() => {
    forward.pump();
    backward.pump();
  });
  return {
    abort: (code) => {
      if (aborted) return;
      aborted = true;
      forward.abort(code);
      backward.abort(code);
    },
  };
}
