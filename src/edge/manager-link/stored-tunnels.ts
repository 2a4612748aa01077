import type { ConfigFile } from '../../config/config-file.ts';
import { asJsonObject } from '../../lib/json.ts';
import { parseTunnelId, type TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

/** A tunnel as it stands in edge.json, or came from a manager. */
export type TunnelEntry = Readonly<Record<string, unknown>>;

/** The list `tunnels` in the edge's config file, as managers change it; the rest of the file stays as it is. */
export class StoredTunnels {
  readonly #file: ConfigFile;

  constructor(file: ConfigFile) {
    this.#file = file;
  }

  /** Adds the entry or puts it in place of the one with its id; answers that one. Rejects with an AppError when it is not stored. */
  async put(id: TunnelId, entry: TunnelEntry): Promise<TunnelEntry | null> {
    return this.#replace(id, entry);
  }

  /** Takes the entry out and answers it. Rejects with an AppError when that is not stored. */
  async remove(id: TunnelId): Promise<TunnelEntry | null> {
    return this.#replace(id, null);
  }

  async #replace(id: TunnelId, entry: TunnelEntry | null): Promise<TunnelEntry | null> {
    let previous: TunnelEntry | null = null;
    await this.#file.change((content) => {
      const entries = entriesOf(content);
      const index = entries.findIndex((candidate) => idOf(candidate) === id);
      previous = asJsonObject(entries[index]);
      if (previous === null && entry === null) return [];
      const changed = entry === null ? [] : [entry];
      const at = index === -1 ? entries.length : index;
      return [{ path: ['tunnels'], value: entries.toSpliced(at, 1, ...changed) }];
    });
    return previous;
  }
}

function entriesOf(content: unknown): readonly unknown[] {
  const tunnels = asJsonObject(content)?.['tunnels'];
  return Array.isArray(tunnels) ? tunnels : [];
}

function idOf(entry: unknown): TunnelId | null {
  const id = asJsonObject(entry)?.['id'];
  return typeof id === 'string' ? parseTunnelId(id) : null;
}
