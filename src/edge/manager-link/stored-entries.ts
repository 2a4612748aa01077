import type { ConfigFile } from '../../config/config-file.ts';
import { asJsonObject } from '../../lib/json.ts';

/** A tunnel or flow as it stands in edge.json, or came from a manager. */
export type StoredEntry = Readonly<Record<string, unknown>>;

/** A list in the edge's config file, as managers change it; the rest of the file stays as it is. */
export class StoredEntries {
  readonly #file: ConfigFile;
  readonly #list: 'tunnels' | 'flows';
  readonly #idOf: (text: string) => string | null;

  /** `idOf` reads an id as it is written; null for what is none. */
  constructor(file: ConfigFile, list: 'tunnels' | 'flows', idOf: (text: string) => string | null) {
    this.#file = file;
    this.#list = list;
    this.#idOf = idOf;
  }

  /** The entry as it is written now; null without one. Rejects with an AppError when the file cannot be read. */
  async find(id: string): Promise<StoredEntry | null> {
    const content = await this.#file.read();
    return asJsonObject(this.#entriesOf(content).find((entry) => this.#has(entry, id)));
  }

  /**
   * Adds the entry or puts it in place of the one with its id; returns that one. Rejects with an AppError when it is
   * not stored.
   */
  async put(id: string, entry: StoredEntry): Promise<StoredEntry | null> {
    return this.#replace(id, entry);
  }

  /** Takes the entry out and returns it. Rejects with an AppError when that is not stored. */
  async remove(id: string): Promise<StoredEntry | null> {
    return this.#replace(id, null);
  }

  async #replace(id: string, entry: StoredEntry | null): Promise<StoredEntry | null> {
    let previous: StoredEntry | null = null;
    await this.#file.change((content) => {
      const entries = this.#entriesOf(content);
      const index = entries.findIndex((candidate) => this.#has(candidate, id));
      previous = asJsonObject(entries[index]);
      if (previous === null && entry === null) return [];
      const changed = entry === null ? [] : [entry];
      const at = index === -1 ? entries.length : index;
      return [{ path: [this.#list], value: entries.toSpliced(at, 1, ...changed) }];
    });
    return previous;
  }

  #entriesOf(content: unknown): readonly unknown[] {
    const entries = asJsonObject(content)?.[this.#list];
    return Array.isArray(entries) ? entries : [];
  }

  #has(entry: unknown, id: string): boolean {
    const written = asJsonObject(entry)?.['id'];
    return typeof written === 'string' && this.#idOf(written) === id;
  }
}
