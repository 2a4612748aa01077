import { open, stat, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import type { LogTarget } from './log-target.ts';

export interface FileTargetSettings {
  readonly path: string;
  /** The file becomes `path.1` when it has this many bytes; those before it move on by one. */
  readonly maxBytes: number;
  /** Rotated files that are kept. */
  readonly maxBackups: number;
}

/** Longer than any event: texts of peers are cut to size before. */
const maxLineBytes = 256 * 1024;

/**
 * A file that is rotated by size. When another program moves or removes it, as logrotate does, the next line makes it
 * anew. What a full disk left of a line is cut off before the next one. Its folder is made when it is missing. A new
 * file is 0600, since events name addresses.
 */
export class FileTarget implements LogTarget {
  readonly #settings: FileTargetSettings;
  #stream: RotatingFileStream | null = null;
  /** Of the file that is written to; null while that is not known: before the first line, and as it is rotated. */
  #inode: number | null = null;
  #rotations = 0;
  #failure: Error | null = null;

  constructor(settings: FileTargetSettings) {
    this.#settings = settings;
  }

  async write(line: string): Promise<void> {
    const { path } = this.#settings;
    let before = await stateOf(path);
    // What is still open under another name, or none, gets no further line.
    if (this.#inode !== null && this.#inode !== before?.inode) await this.close();
    if (this.#stream === null) {
      await cutTornLine(path);
      before = await stateOf(path);
    }
    const stream = (this.#stream ??= this.#open());
    const bytes = Buffer.from(`${line}\n`);
    const rotations = this.#rotations;
    await this.#hand(stream, bytes);
    const after = await stateOf(path);
    this.#inode ??= after?.inode ?? null;
    const written = rotations === this.#rotations ? growth(before, after) : null;
    // The stream takes a short write for a whole one: on a full disk the last page holds a part of a line.
    if (written === null || written >= bytes.length) return;
    await this.close();
    throw new Error(`${path} took ${written} of the ${bytes.length} bytes of a line`);
  }

  async #hand(stream: RotatingFileStream, bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure;
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    this.#inode = null;
    if (stream === null) return;
    stream.end();
    // Its `error` listener has noted why a stream does not finish.
    await finished(stream).catch(() => undefined);
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
    stream.on('rotation', () => {
      this.#rotations += 1;
      this.#inode = null;
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

/** Removes what stands behind the last line end, as far as a line can be long. A file that is not there is whole. */
async function cutTornLine(path: string): Promise<void> {
  // Whatever else is wrong with it is said by the write that follows.
  const length = (await stat(path).catch(() => null))?.size ?? 0;
  if (length === 0) return;
  await using file = await open(path, 'r+');
  const from = Math.max(0, length - maxLineBytes);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length - from), 0, length - from, from);
  const lastEnd = buffer.subarray(0, bytesRead).lastIndexOf('\n');
  // Without any line end there it is no file of ours.
  if (lastEnd === -1 && from > 0) return;
  if (lastEnd < bytesRead - 1) await file.truncate(from + lastEnd + 1);
}

interface FileState {
  readonly inode: number;
  readonly size: number;
}

/** Bytes that a file has more than before; null when it is another one, is gone, or was cut. */
function growth(before: FileState | null, after: FileState | null): number | null {
  if (after === null || (before !== null && before.inode !== after.inode)) return null;
  const bytes = after.size - (before?.size ?? 0);
  return bytes < 0 ? null : bytes;
}

/** Null when nothing has that path. */
async function stateOf(path: string): Promise<FileState | null> {
  try {
    const { ino: inode, size } = await stat(path);
    return { inode, size };
  } catch {
    // Removed, or its folder was: the next line reports the obstacle, if there is one.
    return null;
  }
}
