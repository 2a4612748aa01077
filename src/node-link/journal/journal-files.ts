import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { claimDirectory } from './directory-claim.ts';

/** An open file at whose end lines are written. */
export interface AppendFile {
  /** Writes all of it before it returns, or throws; what a failed call left behind is gone before the next one. */
  append(data: string): void;
  /** False once somebody moved the file, removed it or cut something off. */
  isInPlace(): boolean;
  /** What the file holds, also one that has no name any more. */
  readAll(): Buffer;
  /** Resolves when what was appended so far survives a power loss. */
  sync(): Promise<void>;
  close(): void;
}

/**
 * What the journal needs of a file system. Synchronous where an event must be on its way to disk before a caller goes
 * on.
 */
export interface JournalFiles {
  /** For this process alone until it is disposed of; throws an AppError `io-failed` where another one has it. */
  claim(directory: string): Disposable;
  makeDirectory(path: string): void;
  list(directory: string): string[];
  openForAppend(path: string): AppendFile;
  size(path: string): number;
  /** Fewer bytes where the file ends before. */
  read(path: string, offset: number, length: number): Buffer;
  truncate(path: string, length: number): void;
  /** Old content or new, never a part. */
  replace(path: string, data: string): void;
  remove(path: string): void;
}

const ownerOnlyFile = 0o600;
const ownerOnlyDirectory = 0o700;
const fdatasync = promisify(fs.fdatasync);

export const realJournalFiles: JournalFiles = {
  claim: claimDirectory,
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true, mode: ownerOnlyDirectory }),
  list: (directory) => fs.readdirSync(directory),
  openForAppend: (path) => new RealAppendFile(path),
  size: (path) => fs.statSync(path).size,
  read(path, offset, length) {
    const handle = fs.openSync(path, 'r');
    try {
      return readUpTo(handle, offset, length);
    } finally {
      fs.closeSync(handle);
    }
  },
  truncate: (path, length) => fs.truncateSync(path, length),
  replace(path, data) {
    // No fsync, which would hold up the event loop: a rename is safe against a killed process.
    fs.writeFileSync(`${path}.tmp`, data, { mode: ownerOnlyFile });
    fs.renameSync(`${path}.tmp`, path);
  },
  remove: (path) => fs.rmSync(path, { force: true }),
};

function readUpTo(handle: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  for (;;) {
    const count = fs.readSync(handle, buffer, filled, length - filled, offset + filled);
    filled += count;
    if (count === 0 || filled === length) return buffer.subarray(0, filled);
  }
}

class RealAppendFile implements AppendFile {
  readonly #path: string;
  readonly #handle: number;
  #length: number;
  #cut = false;

  constructor(path: string) {
    this.#path = path;
    this.#handle = fs.openSync(path, 'a+', ownerOnlyFile);
    this.#length = fs.fstatSync(this.#handle).size;
  }

  append(data: string): void {
    const bytes = Buffer.from(data);
    this.#length = this.#lengthNow();
    // A part that an earlier failure left behind must not become the beginning of this line.
    if (fs.fstatSync(this.#handle).size > this.#length) fs.ftruncateSync(this.#handle, this.#length);
    for (let written = 0; written < bytes.length;) written += fs.writeSync(this.#handle, bytes, written);
    this.#length += bytes.length;
  }

  isInPlace(): boolean {
    this.#lengthNow();
    const [own, there] = [fs.fstatSync(this.#handle), fs.statSync(this.#path, { throwIfNoEntry: false })];
    return !this.#cut && there?.ino === own.ino && there.dev === own.dev;
  }

  readAll(): Buffer {
    return readUpTo(this.#handle, 0, this.#lengthNow());
  }

  sync(): Promise<void> {
    return fdatasync(this.#handle);
  }

  close(): void {
    fs.closeSync(this.#handle);
  }

  /** Of what was appended whole and not cut off by others. */
  #lengthNow(): number {
    const { size } = fs.fstatSync(this.#handle);
    this.#cut ||= size < this.#length;
    return Math.min(size, this.#length);
  }
}
