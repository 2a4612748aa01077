import quiche from '@matrixai/quic/native/quiche.js';
import type { Connection } from '@matrixai/quic/native/types.js';
import { attempt } from './attempt.ts';

/** How the relay's direction of a stream ended. */
export type StreamEnd = 'finished' | { readonly reset: number };

interface StreamState {
  readonly received: Buffer[];
  receivedBytes: number;
  end: StreamEnd | null;
  /** What quiche did not take yet. */
  readonly outgoing: { bytes: Uint8Array; readonly fin: boolean }[];
  stopped: number | null;
}

/** The streams of a hostile connection: what was received, what waits, how they ended. */
export class HostileStreams {
  readonly #native: Connection;
  readonly #states = new Map<number, StreamState>();
  /** Those of which our direction has not ended: only they can be written to, or be stopped by the relay. */
  readonly #sending = new Map<number, StreamState>();
  readonly #scratch = Buffer.alloc(65_536);
  #nextBidi = 0;

  constructor(native: Connection) {
    this.#native = native;
  }

  /** The id of the next stream of ours; it exists for the relay once something is sent on it. */
  nextBidi(): number {
    const id = this.#nextBidi;
    this.#nextBidi += 4;
    return id;
  }

  /** Ids of streams that the relay opened. */
  get ofRelay(): number[] {
    return [...this.#states.keys()].filter((id) => (id & 1) === 1);
  }

  queue(id: number, bytes: Uint8Array, fin: boolean): void {
    const state = this.#state(id);
    state.outgoing.push({ bytes, fin });
    this.#sending.set(id, state);
  }

  reset(id: number, code: number): void {
    this.#over(id, this.#state(id));
    attempt(() => this.#native.streamShutdown(id, quiche.Shutdown.Write, code));
  }

  stop(id: number, code: number): void {
    attempt(() => this.#native.streamShutdown(id, quiche.Shutdown.Read, code));
  }

  received(id: number): Buffer {
    return Buffer.concat(this.#states.get(id)?.received ?? []);
  }

  /** Forgets what was received on a stream so far, and returns it. */
  take(id: number): Buffer {
    return Buffer.concat(this.#states.get(id)?.received.splice(0) ?? []);
  }

  receivedBytes(id: number): number {
    return this.#states.get(id)?.receivedBytes ?? 0;
  }

  endOf(id: number): StreamEnd | null {
    return this.#states.get(id)?.end ?? null;
  }

  /** The code with which the relay stopped our direction; null while it has not. */
  stoppedWith(id: number): number | null {
    return this.#states.get(id)?.stopped ?? null;
  }

  /** Bytes that wait because the relay does not take them. */
  blockedBytes(id: number): number {
    return (this.#states.get(id)?.outgoing ?? []).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  readAll(): void {
    if (this.#native.isReadable()) for (const id of this.#native.readable()) this.#read(id);
  }

  /** Hands what waits to quiche, as far as it takes it. STOP_SENDING on an idle direction shows only here. */
  writeAll(): void {
    for (const [id, state] of this.#sending) {
      const onFault = (message: string): void => {
        const code = /^StreamStopped\((\d+)\)$/.exec(message)?.[1];
        if (code !== undefined) state.stopped = Number(code);
        // A stream for which there is no credit yet may be opened later.
        if (message !== 'StreamLimit') this.#over(id, state);
      };
      if (state.outgoing.length > 0) this.#write(id, state, onFault);
      else attempt(() => this.#native.streamCapacity(id), onFault);
    }
  }

  #read(id: number): void {
    const state = this.#state(id);
    for (;;) {
      const result = attempt(
        () => this.#native.streamRecv(id, this.#scratch),
        (message) => {
          const code = /^StreamReset\((\d+)\)$/.exec(message)?.[1];
          if (code !== undefined) state.end = { reset: Number(code) };
        },
      );
      if (result === undefined || result === null) return;
      const [length, finished] = result;
      if (length > 0) state.received.push(Buffer.from(this.#scratch.subarray(0, length)));
      state.receivedBytes += length;
      if (!finished) continue;
      state.end = 'finished';
      return;
    }
  }

  #write(id: number, state: StreamState, onFault: (message: string) => void): void {
    for (let first = state.outgoing[0]; first !== undefined; first = state.outgoing[0]) {
      const { bytes, fin } = first;
      const taken = attempt(() => this.#native.streamSend(id, bytes, fin) ?? 0, onFault);
      if (taken === undefined) return;
      if (taken < bytes.length) {
        first.bytes = bytes.subarray(taken);
        return;
      }
      state.outgoing.shift();
      if (fin) this.#over(id, state);
    }
  }

  /** Our direction has ended. */
  #over(id: number, state: StreamState): void {
    state.outgoing.length = 0;
    this.#sending.delete(id);
  }

  #state(id: number): StreamState {
    let state = this.#states.get(id);
    if (state === undefined) {
      state = { received: [], receivedBytes: 0, end: null, outgoing: [], stopped: null };
      this.#states.set(id, state);
    }
    return state;
  }
}
