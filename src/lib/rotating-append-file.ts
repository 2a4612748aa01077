import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

export interface AppendFileSettings {
  readonly path: string;
  /** Bytes after which a new file is begun; null for never. */
  readonly maxBytes: number | null;
  /** Writes between two fdatasync calls; 0 for none. */
  readonly syncEvery: number;
}

/** `path.1` is the youngest of them. */
const generations = 5;

/**
 * Appends to a file of mode 0600, synchronously: what was written survives the process. Every method throws the errors
 * of node:fs; a write that failed leaves nothing behind.
 */
export class RotatingAppendFile {
  readonly #settings: AppendFileSettings;
  #fd: number;
  #size: number;
  #unsynced = 0;

  constructor(settings: AppendFileSettings) {
    this.#settings = settings;
    this.#fd = openAppend(settings.path);
    this.#size = fstatSync(this.#fd).size;
  }

  get size(): number {
    return this.#size;
  }

  /** False once the file was moved or removed. */
  isInPlace(): boolean {
    const [own, there] = [fstatSync(this.#fd), statSync(this.#settings.path, { throwIfNoEntry: false })];
    return there?.ino === own.ino && there.dev === own.dev;
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    const { syncEvery } = this.#settings;
    this.#unsynced += 1;
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done);
      if (syncEvery > 0 && this.#unsynced >= syncEvery) this.sync();
    } catch (error) {
      // Not to the size that was counted: others may have written to the file or emptied it.
      if (done > 0) ftruncateSync(this.#fd, Math.max(0, fstatSync(this.#fd).size - done));
      throw error;
    }
    this.#size += bytes.length;
  }

  sync(): void {
    if (this.#unsynced > 0) fdatasyncSync(this.#fd);
    this.#unsynced = 0;
  }

  isFull(): boolean {
    const { maxBytes } = this.#settings;
    return maxBytes !== null && this.#size >= maxBytes;
  }

  /** Moves the file and its predecessors one generation back, and begins an empty one. A failure keeps this one. */
  rotate(): void {
    const { path } = this.#settings;
    const begun = `${path}.new`;
    this.sync();
    // Before anything moves: without a descriptor, or room for a file, each try would push one generation out.
    const next = openAppend(begun);
    try {
      for (let age = generations - 1; age >= 1; age -= 1) moveIfThere(`${path}.${age}`, `${path}.${age + 1}`);
      moveIfThere(path, `${path}.1`);
      renameSync(begun, path);
    } catch (error) {
      closeSync(next);
      unlinkSync(begun);
      throw error;
    }
    closeSync(this.#fd);
    this.#fd = next;
    this.#size = 0;
  }

  /** Closes it also where it throws. */
  close(): void {
    try {
      this.sync();
    } finally {
      closeSync(this.#fd);
    }
  }
}

function openAppend(path: string): number {
  return openSync(path, 'a', 0o600);
}

function moveIfThere(from: string, to: string): void {
  if (!existsSync(from)) return;
  if (existsSync(to)) unlinkSync(to);
  renameSync(from, to);
}
