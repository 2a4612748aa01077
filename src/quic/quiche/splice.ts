import type { SpliceHandle, SpliceOptions, StreamHandler } from '../types.ts';
import type { QuicheLedger } from './ledger.ts';
import { ownLedger } from './route.ts';
import { scratch } from './scratch.ts';
import type { StreamRead } from './native-stream.ts';

/** A handler inside the engine, which hears of the connection's end, too. */
export interface SpliceSide extends StreamHandler {
  onLost(): void;
}

/** What a splice does to each of its two streams. */
export interface SpliceEnd {
  /** Our direction is over. */
  readonly writeOver: boolean;
  /** From now on `side` hears what happens on the stream. */
  attach(side: SpliceSide): void;
  /** Reads into `into`. */
  take(into: Uint8Array): StreamRead;
  /** Asks for `onReadable` even though the last read was not blocked. */
  arm(): void;
  /** `onReadable`, if it was asked for. */
  notifyReadable(): void;
  /** Answers how many bytes QUIC took, and asks for `onWritable` for the rest. `finish`: FIN after the last byte. */
  put(bytes: Uint8Array, finish: boolean): number;
  reset(code: number): void;
  stop(code: number): void;
  /** Calls back from the event loop. */
  later(callback: () => void): void;
}

/** Reads of up to 64 KiB that one stream may make before others have their turn. */
const readsPerTurn = 4;

/** One direction: from the source's peer to the sink's peer. At most one read (64 KiB) is held between them. */
class Pipe {
  readonly source: SpliceEnd;
  readonly sink: SpliceEnd;
  readonly #ledger: QuicheLedger;
  readonly #onOver: () => void;
  #held: Uint8Array | null = null;
  #heldIsLast = false;
  #over = false;

  constructor(source: SpliceEnd, sink: SpliceEnd, ledger: QuicheLedger, onOver: () => void) {
    this.source = source;
    this.sink = sink;
    this.#ledger = ledger;
    this.#onOver = onOver;
  }

  get over(): boolean {
    return this.#over;
  }

  pump(): void {
    for (let reads = 0; reads < readsPerTurn; reads += 1) {
      if (this.#over || !this.#passHeld() || !this.#read()) return;
    }
    // More may wait: others first.
    this.source.arm();
    this.source.later(() => this.source.notifyReadable());
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

  /** False: the sink takes no more now. */
  #passHeld(): boolean {
    const held = this.#held;
    if (held === null) return true;
    const taken = this.sink.put(held, this.#heldIsLast);
    this.#ledger.streamBytes += taken;
    if (this.sink.writeOver && taken < held.length) return false;
    this.#held = taken < held.length ? held.subarray(taken) : null;
    if (this.#held === null && this.#heldIsLast) this.#end();
    return this.#held === null && !this.#over;
  }

  /** False: there is nothing more to do now. */
  #read(): boolean {
    const result = this.source.take(scratch.whole);
    switch (result.kind) {
      case 'blocked':
        return false;
      case 'reset':
        this.reset(result.code);
        return false;
      case 'data':
        return this.#pass(scratch.first(result.length), result.finished);
    }
  }

  #pass(bytes: Uint8Array, last: boolean): boolean {
    const taken = this.sink.put(bytes, last);
    this.#ledger.streamBytes += taken;
    if (taken < bytes.length) {
      this.#held = Buffer.from(bytes.subarray(taken));
      this.#heldIsLast = last;
      return false;
    }
    if (last && !this.sink.writeOver) {
      // A bare FIN behind bytes that wait in the sink.
      this.#held = bytes.subarray(bytes.length);
      this.#heldIsLast = true;
      return false;
    }
    if (last) this.#end();
    return !last;
  }

  #end(): void {
    this.#over = true;
    this.#held = null;
    this.#onOver();
  }
}

/** What one of the two streams tells: it is the source of one pipe and the sink of the other. */
function side(from: Pipe, to: Pipe, onLost: () => void): SpliceSide {
  return {
    onReadable: () => from.pump(),
    onWritable: () => to.pump(),
    onStopped: (code) => to.stop(code),
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
  const forward = new Pipe(one, other, ownLedger(options.forward), onOver);
  const backward = new Pipe(other, one, ownLedger(options.backward), onOver);
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
