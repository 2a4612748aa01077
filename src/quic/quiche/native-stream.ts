import { type NativeConnection, type ShutdownDirection, streamFault } from './native.ts';

const nothing = Buffer.alloc(0);

/** What reading a stream gave. `length` bytes are in the buffer; `finished` when they are the last. */
export type StreamRead =
  | { readonly kind: 'data'; readonly length: number; readonly finished: boolean }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'reset'; readonly code: number };

/** What writing gave: how many bytes were taken (a FIN only with the last of them), or that the peer wants no more. */
export type StreamWrite =
  { readonly kind: 'taken'; readonly length: number } | { readonly kind: 'stopped'; readonly code: number };

const blocked: StreamRead = { kind: 'blocked' };

/** Code for a stream whose end quiche does not tell, or that it no longer knows. */
const goneCode = 0;

/** quiche's calls for one stream, with its exceptions as values. */
export class NativeStream {
  readonly id: number;
  readonly #native: NativeConnection;
  readonly #onFault: (error: unknown) => void;

  /** `onFault`: quiche said something that no stream can mean, so the connection cannot go on; it may not throw. */
  constructor(native: NativeConnection, id: number, onFault: (error: unknown) => void) {
    this.#native = native;
    this.id = id;
    this.#onFault = onFault;
  }

  /** Makes a stream of ours known to quiche. False: the peer grants none now. */
  open(): boolean {
    try {
      this.#native.streamSend(this.id, nothing, false);
      return true;
    } catch (error) {
      if (streamFault(error).kind !== 'limit') this.#onFault(error);
      return false;
    }
  }

  read(into: Uint8Array): StreamRead {
    try {
      const result = this.#native.streamRecv(this.id, into);
      if (result !== null) return { kind: 'data', length: result[0], finished: result[1] };
      // A RESET behind a FIN makes quiche 0.18 drop the data and tell nobody; all that shows is an end that was never read.
      return this.#native.streamFinished(this.id) ? { kind: 'reset', code: goneCode } : blocked;
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'reset') return { kind: 'reset', code: fault.code };
      if (fault.kind !== 'gone') this.#onFault(error);
      return { kind: 'reset', code: goneCode };
    }
  }

  write(bytes: Uint8Array, finish: boolean): StreamWrite {
    try {
      return { kind: 'taken', length: this.#native.streamSend(this.id, bytes, finish) ?? 0 };
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'stopped') return { kind: 'stopped', code: fault.code };
      if (fault.kind !== 'gone') this.#onFault(error);
      return { kind: 'stopped', code: goneCode };
    }
  }

  /** Bytes that quiche would take now; 0 where it takes none, for whatever reason. */
  capacity(): number {
    try {
      return this.#native.streamCapacity(this.id);
    } catch (error) {
      if (streamFault(error).kind === 'other') this.#onFault(error);
      return 0;
    }
  }

  /** The code of a STOP_SENDING that has arrived, or null. quiche tells of it in no other way on a stream that is not written to. */
  stopCode(): number | null {
    try {
      this.#native.streamCapacity(this.id);
      return null;
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'stopped') return fault.code;
      if (fault.kind !== 'gone') this.#onFault(error);
      return goneCode;
    }
  }

  isReadable(): boolean {
    return this.#native.streamReadable(this.id);
  }

  shutdown(direction: ShutdownDirection, code: number): void {
    try {
      this.#native.streamShutdown(this.id, direction, code);
    } catch (error) {
      if (streamFault(error).kind === 'other') this.#onFault(error);
    }
  }
}
