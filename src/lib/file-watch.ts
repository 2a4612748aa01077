import { stat } from 'node:fs/promises';
import type { Clock, Timer } from './clock.ts';

/** What differs between two contents of a file, without reading it; null where there is no file. */
export type FileMark = string | null;

export interface FileWatchDependencies {
  readonly clock: Clock;
  readonly mark: (path: string) => Promise<FileMark>;
  /** Called each time: a config may name other files than before. */
  readonly files: () => readonly string[];
  /** Must not throw. */
  readonly onChange: () => void;
}

const periodMs = 2000;

/**
 * Reports files that have changed, by reading their status. Unlike the kernel's notices that also finds a file that was
 * replaced, a symbolic link that was turned, and a mounted volume. A file that is still changing is waited for.
 */
export class FileWatch {
  readonly #dependencies: FileWatchDependencies;
  #timer: Timer | null = null;
  #known: string | null = null;
  #last: string | null = null;
  #looking = false;

  constructor(dependencies: FileWatchDependencies) {
    this.#dependencies = dependencies;
  }

  /** What the files are now is what they are compared with. */
  async start(): Promise<void> {
    this.#known = await this.#marks();
    this.#last = this.#known;
    this.#timer = this.#dependencies.clock.setInterval(() => void this.#look(), periodMs);
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #look(): Promise<void> {
    // A file system that hangs must not pile up looks.
    if (this.#looking) return;
    this.#looking = true;
    const marks = await this.#marks();
    this.#looking = false;
    const settled = marks === this.#last;
    this.#last = marks;
    if (!settled || marks === this.#known || this.#timer === null) return;
    this.#known = marks;
    this.#dependencies.onChange();
  }

  async #marks(): Promise<string> {
    const { files, mark } = this.#dependencies;
    return JSON.stringify(await Promise.all(files().map(async (path) => [path, await mark(path)])));
  }
}

/** The mark of a real file. One that cannot be looked at counts as absent. */
export async function fileMark(path: string): Promise<FileMark> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return null;
  }
}
