import type { QuicheStream } from './stream.ts';

/** Blocked streams that are simply tried, and those that are tried in a turn at most. */
const fewBlocked = 4;
const maxRetries = 128;

/** The streams of a connection that wait for quiche to take more bytes. quiche does not announce when it does. */
export class BlockedStreams {
  readonly #streams = new Set<QuicheStream>();

  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  add(stream: QuicheStream): void {
    this.#streams.add(stream);
  }

  clear(): void {
    this.#streams.clear();
  }

  /** Tries them in turn, at a bounded price. `open`: all streams of the connection. */
  retry(open: Iterable<QuicheStream>): void {
    const probe = this.#unblocked(open);
    let visits = Math.min(this.#streams.size, maxRetries);
    for (const stream of this.#streams) {
      // Where the connection takes nothing more, each further try would be in vain.
      if (visits === 0 || probe?.room() === 0) return;
      visits -= 1;
      // To the end of the line, so that each has its turn.
      this.#streams.delete(stream);
      if (stream.retry()) this.#streams.add(stream);
    }
  }

  /** A stream that waits for nothing, such as a control stream: what it could write is what the connection could. */
  #unblocked(open: Iterable<QuicheStream>): QuicheStream | null {
    if (this.#streams.size < fewBlocked) return null;
    for (const stream of open) if (!this.#streams.has(stream) && stream.writeEnd === null) return stream;
    return null;
  }
}
