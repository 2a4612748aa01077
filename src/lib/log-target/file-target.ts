import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import type { LogTarget } from './log-target.ts';

export interface FileTargetSettings {
  readonly path: string;
  /** The file becomes `path.1` when it has this many bytes; those before it move on by one. */
  readonly maxBytes: number;
  /** Rotated files that are kept. */
  readonly maxBackups: number;
}

/**
 * A file that is rotated by size. Its folder is made when it is missing; a new file is 0600, since events name
 * addresses.
 */
export class FileTarget implements LogTarget {
  readonly #settings: FileTargetSettings;
  #stream: RotatingFileStream | null = null;
  #failure: Error | null = null;

  constructor(settings: FileTargetSettings) {
    this.#settings = settings;
  }

  async write(line: string): Promise<void> {
    const stream = (this.#stream ??= this.#open());
    await new Promise<void>((resolve, reject) => {
      stream.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
    });
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    stream.end();
    await once(stream, 'finish');
  }

  #open(): RotatingFileStream {
    const { path, maxBytes, maxBackups } = this.#settings;
    const name = basename(path);
    const stream = createStream((index) => (typeof index === 'number' ? `${name}.${index}` : name), {
      path: dirname(path),
      size: `${maxBytes}B`,
      rotate: Math.max(1, maxBackups),
      mode: 0o600,
    });
    // A stream that has failed takes nothing any more: the next line opens another.
    stream.on('error', (error) => {
      this.#failure = error;
      if (this.#stream === stream) this.#stream = null;
    });
    stream.on('warning', (error) => {
      this.#failure = error;
    });
    stream.on('rotated', (rotated) => {
      if (maxBackups === 0) void unlink(rotated).catch((error: unknown) => this.#noteFailure(error));
    });
    return stream;
  }

  #noteFailure(error: unknown): void {
    this.#failure = error instanceof Error ? error : new Error(String(error));
  }
}
