import type { FileAccess } from '../../../src/lib/atomic-file.ts';
import type { ConfigFileSystem } from '../../../src/config/config-file.ts';

/** A step of a file operation, such as `rename` or `directory sync`. */
export type FileStep = 'open' | 'write' | 'chmod' | 'sync' | 'close' | 'rename' | 'directory open' | 'directory sync';

/** What happens at one step. The second is a full or read-only disk. `crash` also stops every later step, as a dead process does. */
export type Fault = 'error' | 'error from here on' | 'crash before' | 'crash after';

/** Thrown where the process would have ended. */
export class Crash extends Error {}

/** Files in memory that count every step of replacing a file, and fail or die at a chosen one. */
export class MemoryFileSystem implements ConfigFileSystem {
  readonly files = new Map<string, { text: string; mode: number }>();
  readonly steps: FileStep[] = [];
  #fault: { readonly at: number; readonly fault: Fault } | null = null;
  #crashed = false;

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(files)) this.files.set(path, { text, mode: 0o640 });
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** The fault happens at the step with this index, counted from 0 over the whole life; null for none. */
  failAt(at: number, fault: Fault): void {
    this.#fault = { at, fault };
  }

  /** The same files for the next process. */
  afterRestart(): MemoryFileSystem {
    const next = new MemoryFileSystem();
    for (const [path, file] of this.files) next.files.set(path, { ...file });
    return next;
  }

  text(path: string): string {
    return this.files.get(path)?.text ?? '';
  }

  async readText(path: string): Promise<string> {
    const file = this.files.get(path);
    if (file === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
    return file.text;
  }

  async open(path: string, flags: 'r' | 'wx', mode = 0o600) {
    const isDirectory = flags === 'r';
    await this.#step(isDirectory ? 'directory open' : 'open', () => {
      if (!isDirectory) this.files.set(path, { text: '', mode });
    });
    return {
      writeFile: (data: string | Uint8Array) => this.#step('write', () => this.#change(path, { text: String(data) })),
      chown: () => Promise.resolve(),
      chmod: (newMode: number) => this.#step('chmod', () => this.#change(path, { mode: newMode })),
      sync: () => this.#step(isDirectory ? 'directory sync' : 'sync'),
      close: () => this.#step('close'),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#step('rename', () => {
      const file = this.files.get(from);
      if (file !== undefined) this.files.set(to, file);
      this.files.delete(from);
    });
  }

  async unlink(path: string): Promise<void> {
    if (!this.#crashed) this.files.delete(path);
  }

  async accessOf(path: string): Promise<FileAccess | null> {
    const mode = this.files.get(path)?.mode;
    return mode === undefined ? null : { uid: 0, gid: 0, mode };
  }

  async makeDirectory(): Promise<void> {}

  async realPath(path: string): Promise<string> {
    return path;
  }

  #change(path: string, change: Partial<{ text: string; mode: number }>): void {
    const file = this.files.get(path);
    if (file !== undefined) this.files.set(path, { ...file, ...change });
  }

  async #step(step: FileStep, effect: () => void = () => undefined): Promise<void> {
    const fault = this.#faultAt(this.steps.length);
    this.steps.push(step);
    if (this.#crashed || fault === 'crash before') this.#die();
    if (fault === 'error' || fault === 'error from here on')
      throw Object.assign(new Error(`${step} failed`), { code: 'EIO' });
    effect();
    if (fault === 'crash after') this.#die();
  }

  #faultAt(step: number): Fault | null {
    if (this.#fault === null) return null;
    const { at, fault } = this.#fault;
    return at === step || (fault === 'error from here on' && at < step) ? fault : null;
  }

  #die(): never {
    this.#crashed = true;
    throw new Crash('the process is dead');
  }
}
