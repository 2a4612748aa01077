import type { QuicConnection, QuicStream, ReadResult, SpliceHandle, SpliceOptions, StreamHandler } from '../types.ts';
import type { NativeBinding } from './addon.ts';
import { QuinnLedger } from './quinn-ledger.ts';

/** Keeps the ends of splices, which come as events. */
export interface SpliceEnds {
  expect(splice: number, onEnd: () => void): void;
}

/** The connection of a stream, as far as the stream needs it. */
export interface QuinnStreamOwner extends QuicConnection {
  /** False once `onClosed` was called. */
  readonly isOpen: boolean;
  /** The stream is over or spliced: no callback follows. */
  forgetStream(stream: number): void;
}

export interface QuinnStreamDependencies {
  readonly binding: NativeBinding;
  readonly splices: SpliceEnds;
}

const blocked = -1;
const finished = -2;
/** Bit 1 of a stream id: unidirectional; bit 0: opened by the server (RFC 9000 §2.1). */
const unidirectionalBit = 2;

export class QuinnStream implements QuicStream {
  readonly id: number;
  readonly connection: QuinnStreamOwner;
  readonly bidirectional: boolean;
  readonly #binding: NativeBinding;
  readonly #splices: SpliceEnds;
  #handler: StreamHandler | undefined;
  /** The last answer of `read`, which stays so. */
  #end: ReadResult | undefined;
  /** The last read gave all that there was: the engine reports when there is more, and need not be asked before. */
  #drained = false;
  #receives: boolean;
  #sends: boolean;

  constructor({ binding, splices }: QuinnStreamDependencies, connection: QuinnStreamOwner, id: number, ours: boolean) {
    this.#binding = binding;
    this.#splices = splices;
    this.connection = connection;
    this.id = id;
    this.bidirectional = Math.trunc(id / unidirectionalBit) % 2 === 0;
    this.#receives = this.bidirectional || !ours;
    this.#sends = this.bidirectional || ours;
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
  }

  read(maxBytes: number): ReadResult {
    if (this.#end !== undefined) return this.#end;
    if (!this.#receives || !this.connection.isOpen) return { kind: 'reset', code: 0 };
    if (this.#drained) return { kind: 'blocked' };
    const answer = this.#binding.read(this.connection.id, this.id, maxBytes);
    if (typeof answer !== 'number') {
      this.#drained = answer.length < maxBytes;
      return { kind: 'data', bytes: answer };
    }
    if (answer === blocked) return { kind: 'blocked' };
    this.#end = answer === finished ? { kind: 'finished' } : { kind: 'reset', code: answer };
    this.#endReceiving();
    return this.#end;
  }

  write(bytes: Uint8Array): boolean {
    return !this.#sends || this.#binding.write(this.connection.id, this.id, bytes);
  }

  get queuedBytes(): number {
    return this.#binding.queuedBytes(this.connection.id, this.id);
  }

  finish(): void {
    if (!this.#sends) return;
    this.#binding.finish(this.connection.id, this.id);
    this.#endSending();
  }

  reset(code: number): void {
    // Also after `finish`: what still waits is discarded then.
    this.#binding.reset(this.connection.id, this.id, code);
    this.#endSending();
  }

  stop(code: number): void {
    if (!this.#receives) return;
    this.#binding.stop(this.connection.id, this.id, code);
    this.#end = { kind: 'reset', code };
    this.#endReceiving();
  }

  splice(other: QuicStream, options: SpliceOptions): SpliceHandle {
    if (!(other instanceof QuinnStream)) throw new TypeError('a stream of another engine cannot be spliced');
    const splice = this.#binding.splice(
      this.connection.id,
      this.id,
      other.connection.id,
      other.id,
      QuinnLedger.bindingOf(options.forward),
      QuinnLedger.bindingOf(options.backward),
      options.lostCode,
    );
    this.#splices.expect(splice, options.onEnd);
    this.connection.forgetStream(this.id);
    other.connection.forgetStream(other.id);
    return { abort: (code) => this.#binding.abortSplice(splice, code) };
  }

  tellReadable(): void {
    this.#drained = false;
    if (this.#receives) this.#handler?.onReadable();
  }

  tellWritable(): void {
    if (this.#sends) this.#handler?.onWritable();
  }

  tellStopped(code: number): void {
    if (!this.#sends) return;
    this.#endSending();
    this.#handler?.onStopped(code);
  }

  #endReceiving(): void {
    this.#receives = false;
    this.#forgetIfOver();
  }

  #endSending(): void {
    this.#sends = false;
    this.#forgetIfOver();
  }

  #forgetIfOver(): void {
    if (!this.#receives && !this.#sends) this.connection.forgetStream(this.id);
  }
}
