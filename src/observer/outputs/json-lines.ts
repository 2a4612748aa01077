import type { Writable } from 'node:stream';

type Output = Pick<Writable, 'write' | 'writableLength'>;

/** Lines that wait for a slow reader; beyond it they are lost and counted. */
const maxWaitingBytes = 64 * 1024 * 1024;

/** Events on standard output, gathered into few writes: one a turn of the event loop. */
export class JsonLines {
  readonly #stream: Output;
  #lines: string[] = [];
  /** Lines that the reader did not take in time. */
  lost = 0;

  constructor(stream: Output) {
    this.#stream = stream;
  }

  write(line: string): void {
    if (this.#stream.writableLength > maxWaitingBytes) {
      this.lost += 1;
      return;
    }
    if (this.#lines.length === 0) queueMicrotask(() => this.flush());
    this.#lines.push(line);
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    this.#stream.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}
