import { type QuicheHandle, type ShutdownDirection, streamFault } from './binding.ts';

const nothing = Buffer.alloc(0);

/** What reading a stream gave. `length` bytes are in the buffer; `finished` when they are the last. */
export type StreamRead =
  | { readonly kind: 'data'; readonly length: number; readonly finished: boolean }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'reset'; readonly code: number };

/** What writing gave: how many bytes were taken (a FIN only with the last of them), or that the peer wants no more. */
export type StreamWrite =
  { readonly kind: 'taken'; readonly length: number } | { readonly kind: 'stopped'; readonly code: number };

export const blocked: StreamRead = { kind: 'blocked' };
const cleanEnd: StreamRead = { kind: 'data', length: 0, finished: true };

/** Code for a stream of which quiche gives no end code, or that it no longer knows. */
const goneCode = 0;

/** quiche's calls for one stream, with its exceptions as values. */
export class StreamHandle {
  readonly id: number;
  readonly #handle: QuicheHandle;
  readonly #onFault: (error: unknown) => void;

  /** `onFault`: called for an error that is not about one stream, so the connection must end. It must not throw. */
  constructor(handle: QuicheHandle, id: number, onFault: (error: unknown) => void) {
    this.#handle = handle;
    this.id = id;
    this.#onFault = onFault;
  }

  get bidirectional(): boolean {
    return (this.id & 2) === 0;
  }

  /** Makes a stream of ours known to quiche. False: the peer grants none now. */
  open(): boolean {
    try {
      this.#handle.streamSend(this.id, nothing, false);
      return true;
    } catch (error) {
      if (streamFault(error).kind !== 'limit') this.#onFault(error);
      return false;
    }
  }

  read(into: Uint8Array): StreamRead {
    try {
      const result = this.#handle.streamRecv(this.id, into);
      if (result !== null) return { kind: 'data', length: result[0], finished: result[1] };
      return this.#handle.streamFinished(this.id) ? this.#hiddenEnd() : blocked;
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'reset') return { kind: 'reset', code: fault.code };
      if (fault.kind === 'gone') return cleanEnd;
      this.#onFault(error);
      return { kind: 'reset', code: goneCode };
    }
  }

  write(bytes: Uint8Array, finish: boolean): StreamWrite {
    try {
      return { kind: 'taken', length: this.#handle.streamSend(this.id, bytes, finish) ?? 0 };
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'stopped') return { kind: 'stopped', code: fault.code };
      if (fault.kind !== 'gone') this.#onFault(error);
      return { kind: 'stopped', code: goneCode };
    }
  }

  /** Bytes that quiche accepts now; 0 if none, for any reason. */
  capacity(): number {
    try {
      return this.#handle.streamCapacity(this.id);
    } catch (error) {
      if (streamFault(error).kind === 'other') this.#onFault(error);
      return 0;
    }
  }

  /**
   * Code of a STOP_SENDING that has arrived, or null. quiche reports it in no other way on a stream that is not
   * written.
   */
  stopCode(): number | null {
    try {
      this.#handle.streamCapacity(this.id);
      return null;
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'stopped') return fault.code;
      if (fault.kind !== 'gone') this.#onFault(error);
      return goneCode;
    }
  }

  isReadable(): boolean {
    return this.#handle.streamReadable(this.id);
  }

  /** Nothing of the peer's direction is left to come or to be read, or the stream is forgotten. */
  isReadOver(): boolean {
    return this.#handle.streamFinished(this.id);
  }

  shutdown(direction: ShutdownDirection, code: number): void {
    try {
      this.#handle.streamShutdown(this.id, direction, code);
    } catch (error) {
      if (streamFault(error).kind === 'other') this.#onFault(error);
    }
  }

  /**
   * The end of the peer's direction when there is nothing to read. quiche 0.18 does not report two of them. One is a
   * FIN that came again with data that was read before, as after a lost acknowledgement. The other is a RESET behind a
   * FIN: quiche drops the data and still lists the stream as readable. A RESET looks like the FIN where data before it
   * had not come yet. So do both if quiche has forgotten the stream by then: it does so where nothing can be read.
   * After a RESET alone something can. None of our engines sends such a RESET.
   */
  #hiddenEnd(): StreamRead {
    for (const id of this.#handle.readable()) if (id === this.id) return { kind: 'reset', code: goneCode };
    return cleanEnd;
  }
}
