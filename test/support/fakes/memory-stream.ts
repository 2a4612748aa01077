import type {
  Ledger,
  QuicConnection,
  QuicStream,
  ReadResult,
  SpliceHandle,
  SpliceOptions,
  StreamHandler,
} from '../../../src/quic/types.ts';
import { MemoryLedger } from './memory-ledger.ts';

/** What the contract lets a sender queue before `write` says no, and what a receiver holds unread. */
const queueBytes = 65_536;
const windowBytes = 262_144;

const deaf: StreamHandler = { onReadable: () => {}, onWritable: () => {}, onStopped: () => {} };

type InboundEnd = { readonly kind: 'finished' } | { readonly kind: 'reset'; readonly code: number };

/** One end of a stream of the in-memory engine. `later` runs a task in a turn of its own. */
export class MemoryStream implements QuicStream {
  readonly id: number;
  readonly connection: QuicConnection;
  readonly bidirectional: boolean;
  peer: MemoryStream | null = null;
  readonly #later: (task: () => void) => void;
  readonly #inbound: Uint8Array[] = [];
  #inboundBytes = 0;
  #inboundEnd: InboundEnd | null = null;
  #stoppedReading = false;
  readonly #outbound: Uint8Array[] = [];
  #outboundBytes = 0;
  #send: 'open' | 'finishing' | 'over' = 'open';
  #handler: StreamHandler = deaf;
  #onLost: (() => void) | null = null;

  constructor(id: number, connection: QuicConnection, bidirectional: boolean, later: (task: () => void) => void) {
    this.id = id;
    this.connection = connection;
    this.bidirectional = bidirectional;
    this.#later = later;
  }

  get queuedBytes(): number {
    return this.#outboundBytes;
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
    this.#later(() => {
      this.#handler.onReadable();
    });
  }

  read(maxBytes: number): ReadResult {
    const head = this.#inbound.shift();
    if (head === undefined) return this.#inboundEnd ?? { kind: 'blocked' };
    const bytes = head.subarray(0, maxBytes);
    if (bytes.length < head.length) this.#inbound.unshift(head.subarray(bytes.length));
    this.#inboundBytes -= bytes.length;
    this.#later(() => this.peer?.flush());
    return { kind: 'data', bytes };
  }

  write(bytes: Uint8Array): boolean {
    if (this.#send !== 'open') return true;
    this.#outbound.push(Uint8Array.from(bytes));
    this.#outboundBytes += bytes.length;
    this.#flushLater();
    return this.#outboundBytes <= queueBytes;
  }

  finish(): void {
    if (this.#send !== 'open') return;
    this.#send = 'finishing';
    this.#flushLater();
  }

  reset(code: number): void {
    if (this.#send === 'over') return;
    this.#endSending();
    this.#later(() => this.peer?.takeEnd({ kind: 'reset', code }));
  }

  stop(code: number): void {
    if (this.#inboundEnd !== null || this.#stoppedReading) return;
    this.#stoppedReading = true;
    this.#discardInbound();
    this.#later(() => this.peer?.takeStop(code));
  }

  splice(other: QuicStream, options: SpliceOptions): SpliceHandle {
    if (!(other instanceof MemoryStream)) throw new TypeError('both ends of a splice belong to one engine');
    return new MemorySplice(this, other, options, this.#later);
  }

  /** Moves what is queued to the peer as far as its window goes. */
  flush(): void {
    const { peer } = this;
    if (peer === null || this.#send === 'over') return;
    const wasBlocked = this.#outboundBytes > queueBytes;
    while (peer.#inboundBytes < windowBytes) {
      const chunk = this.#outbound.shift();
      if (chunk === undefined) break;
      this.#outboundBytes -= chunk.length;
      peer.#take(chunk);
    }
    if (this.#outbound.length === 0 && this.#send === 'finishing') {
      this.#send = 'over';
      peer.takeEnd({ kind: 'finished' });
    }
    if (wasBlocked && this.#outboundBytes <= queueBytes) this.#handler.onWritable();
  }

  takeEnd(end: InboundEnd): void {
    if (this.#inboundEnd !== null) return;
    this.#inboundEnd = end;
    if (end.kind === 'reset') this.#discardInbound();
    this.#handler.onReadable();
  }

  takeStop(code: number): void {
    if (this.#send === 'over') return;
    this.reset(code);
    this.#handler.onStopped(code);
  }

  /** The connection has ended: no callback any more, but a splice passes it on. */
  lose(): void {
    this.#handler = deaf;
    this.#endSending();
    this.#inboundEnd ??= { kind: 'reset', code: 0 };
    this.#onLost?.();
  }

  setLost(onLost: () => void): void {
    this.#onLost = onLost;
  }

  #take(bytes: Uint8Array): void {
    if (this.#stoppedReading || this.#inboundEnd !== null) return;
    this.#inbound.push(bytes);
    this.#inboundBytes += bytes.length;
    this.#handler.onReadable();
  }

  #flushLater(): void {
    this.#later(() => {
      this.flush();
    });
  }

  #discardInbound(): void {
    this.#inbound.length = 0;
    this.#inboundBytes = 0;
  }

  #endSending(): void {
    this.#send = 'over';
    this.#outbound.length = 0;
    this.#outboundBytes = 0;
  }
}

class MemorySplice implements SpliceHandle {
  readonly #streams: readonly [MemoryStream, MemoryStream];
  readonly #options: SpliceOptions;
  readonly #later: (task: () => void) => void;
  readonly #open = new Set<MemoryStream>();

  constructor(a: MemoryStream, b: MemoryStream, options: SpliceOptions, later: (task: () => void) => void) {
    this.#streams = [a, b];
    this.#options = options;
    this.#later = later;
    this.#join(a, b, options.forward, options.backward);
    this.#join(b, a, options.backward, options.forward);
  }

  abort(code: number): void {
    for (const stream of this.#streams) {
      stream.reset(code);
      stream.stop(code);
      this.#over(stream);
    }
  }

  /** `#open` holds the streams whose inbound direction is still being copied. */
  #join(from: MemoryStream, to: MemoryStream, forward: Ledger, backward: Ledger): void {
    this.#open.add(from);
    from.setHandler({
      onReadable: () => {
        this.#pump(from, to, forward);
      },
      onWritable: () => {
        this.#pump(to, from, backward);
      },
      onStopped: (code) => {
        to.stop(code);
        this.#over(to);
      },
    });
    from.setLost(() => {
      to.reset(this.#options.lostCode);
      to.stop(this.#options.lostCode);
      this.#over(from);
      this.#over(to);
    });
  }

  #pump(from: MemoryStream, to: MemoryStream, ledger: Ledger): void {
    while (this.#open.has(from) && to.queuedBytes <= queueBytes) {
      const read = from.read(queueBytes);
      if (read.kind === 'blocked') return;
      if (read.kind === 'data') {
        to.write(read.bytes);
        if (ledger instanceof MemoryLedger) ledger.stream(read.bytes.length);
      } else {
        if (read.kind === 'finished') to.finish();
        else to.reset(read.code);
        this.#over(from);
      }
    }
  }

  #over(from: MemoryStream): void {
    if (this.#open.delete(from) && this.#open.size === 0) this.#later(this.#options.onEnd);
  }
}
