import { dirname } from 'node:path';
import type { OpenFile } from '../../src/lib/atomic-file.ts';
import type { StoreFileSystem } from '../../src/relay/authorization-store.ts';

export interface MemoryFile {
  text: string;
  mode: number;
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** Files in a map, for stores that must not touch the disk. */
export class MemoryFiles implements StoreFileSystem {
  readonly files = new Map<string, MemoryFile>();
  readonly directories = new Set<string>(['/']);

  async readText(path: string): Promise<string> {
    return this.#file(path).text;
  }

  async makeDirectory(path: string): Promise<void> {
    for (let at = path; at !== dirname(at); at = dirname(at)) this.directories.add(at);
  }

  async open(path: string, flags: 'r' | 'wx', mode = 0o666): Promise<OpenFile> {
    if (flags === 'wx') {
      if (this.files.has(path)) throw failure('EEXIST', path);
      if (!this.directories.has(dirname(path))) throw failure('ENOENT', path);
      this.files.set(path, { text: '', mode });
    } else if (!this.directories.has(path)) {
      this.#file(path);
    }
    return {
      writeFile: async (data) => {
        this.#file(path).text = Buffer.from(data).toString();
      },
      chmod: async (bits) => {
        this.#file(path).mode = bits;
      },
      sync: async () => {},
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#file(from));
    this.files.delete(from);
  }

  async unlink(path: string): Promise<void> {
    this.files.delete(path);
  }

  async modeOf(path: string): Promise<number | null> {
    return this.files.get(path)?.mode ?? null;
  }

  async realPath(path: string): Promise<string> {
    return path;
  }

  #file(path: string): MemoryFile {
    const file = this.files.get(path);
    if (file === undefined) throw failure('ENOENT', path);
    return file;
  }
}
