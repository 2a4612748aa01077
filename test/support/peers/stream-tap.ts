import { until } from '../until.ts';
import type { QuicStream, StreamHandler } from '../../../src/quic/types.ts';

const readBytes = 65_536;

/** Reads what comes on a stream, and remembers how each direction ended. */
export class StreamTap implements StreamHandler {
  readonly stream: QuicStream;
  /** How the peer ended its direction; null while it is open. */
  ended: { readonly kind: 'finished' } | { readonly kind: 'reset'; readonly code: number } | null = null;
  /** The code of the peer's STOP_SENDING. */
  stopped: number | null = null;
  receivedBytes = 0;
  readonly #chunks: Buffer[] = [];
  readonly #onData: (() => void) | null;
  #paused = false;
  #waiting: Buffer[] = [];
  #blocked = false;
  #finishing = false;

  constructor(stream: QuicStream, onData: (() => void) | null = null) {
    this.stream = stream;
    this.#onData = onData;
    stream.setHandler(this);
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.received.toString();
  }

  /** Bytes given to `send` that the stream has not taken yet. */
  get unsentBytes(): number {
    return this.#waiting.reduce((sum, chunk) => sum + chunk.length, 0) + this.stream.queuedBytes;
  }

  /** Waits in real time until what has been received ends with `text`. */
  async expectText(text: string): Promise<void> {
    await until(() => this.text.endsWith(text), {
      what: `"${text}" on the stream; so far ${this.receivedBytes} bytes`,
    });
  }

  /** Waits in real time until the peer's direction is over. */
  async expectEnd(): Promise<NonNullable<StreamTap['ended']>> {
    return until(() => this.ended, { what: 'the end of the stream' });
  }

  async expectStopped(): Promise<number> {
    await until(() => this.stopped !== null, { what: 'STOP_SENDING' });
    return this.stopped ?? -1;
  }

  /** Takes what has been received so far away. */
  drain(): Buffer {
    return Buffer.concat(this.#chunks.splice(0));
  }

  /** Writes with back-pressure: what the stream does not take now follows when it can. */
  send(bytes: Uint8Array | string): void {
    this.#waiting.push(Buffer.from(bytes));
    this.#write();
  }

  /** FIN after all that was sent. */
  finish(): void {
    this.#finishing = true;
    this.#write();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.onReadable();
  }

  onReadable(): void {
    while (!this.#paused && this.ended === null) {
      const read = this.stream.read(readBytes);
      if (read.kind === 'blocked') return;
      if (read.kind === 'data') {
        this.receivedBytes += read.bytes.length;
        this.#chunks.push(Buffer.from(read.bytes));
      } else {
        this.ended = read;
      }
      this.#onData?.();
    }
  }

  onWritable(): void {
    this.#blocked = false;
    this.#write();
  }

  onStopped(code: number): void {
    this.stopped = code;
    this.#waiting = [];
  }

  #write(): void {
    while (!this.#blocked) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#blocked = !this.stream.write(chunk);
    }
    if (this.#finishing && this.#waiting.length === 0) this.stream.finish();
  }
}
