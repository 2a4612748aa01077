import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { AppError } from '../lib/app-error.ts';
import { realFileSystem, writeFileAtomically, type FileSystem } from '../lib/atomic-file.ts';
import { parseJson } from '../lib/json.ts';
import { parseTunnelId } from '../protocol/tunnel/tunnel-id.ts';
import type { PolicyState } from './tunnels/bind-policy.ts';
import { readIfThere } from '../lib/read-if-there.ts';

export interface StoreFileSystem extends FileSystem {
  /** Rejects with ENOENT where there is no file. */
  readText(path: string): Promise<string>;
  /** Makes the directory and those above it, mode 0700; does nothing when it is there. */
  makeDirectory(path: string): Promise<void>;
}

export const realStoreFileSystem: StoreFileSystem = {
  ...realFileSystem,
  readText: (path) => readFile(path, 'utf8'),
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
};

const tunnelId = z.string().transform((text, context) => {
  const id = parseTunnelId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'is not a UUID' });
  return z.NEVER;
});

const fileSchema = z.object({
  version: z.literal(1),
  authorized: z.array(
    z.object({
      tunnel_id: tunnelId,
      ingress_token: z.string(),
      egress_token: z.string(),
      name: z.string().optional(),
    }),
  ),
  revoked: z.array(tunnelId),
});

/**
 * Keeps what the manager authorised and revoked across restarts, in one file of mode 0600 that is replaced whole
 * (conformance I5, L5). Saves that come while one is being written are written together by the next.
 */
export class AuthorizationStore {
  readonly #fileSystem: StoreFileSystem;
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  constructor(fileSystem: StoreFileSystem, path: string) {
    this.#fileSystem = fileSystem;
    this.#path = path;
  }

  /**
   * What was saved last; nothing where there is no file. Rejects with AppError `io-failed` when there is one that
   * cannot be read or understood: to go on without it would admit what was revoked.
   */
  async load(): Promise<PolicyState> {
    const text = await this.#read();
    if (text === null) return { authorized: [], revoked: [] };
    const parsed = fileSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      const remedy = 'restore it from a backup, or delete it to start without the authorisations of the manager';
      throw new AppError('io-failed', `${this.#path} is damaged; ${remedy}`);
    }
    const authorized = parsed.data.authorized.map(({ tunnel_id, ingress_token, egress_token, name }) => ({
      tunnelId: tunnel_id,
      ingress: ingress_token,
      egress: egress_token,
      name,
    }));
    return { authorized, revoked: parsed.data.revoked };
  }

  /** Resolves when a state no older than this call's is on disk. Rejects with AppError `io-failed`. */
  save(state: () => PolicyState): Promise<void> {
    this.#waiting ??= this.#writeNext(state);
    return this.#waiting;
  }

  /** Resolves when nothing is being written any more, also after a failure, for which `save` rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#waiting]);
  }

  async #writeNext(state: () => PolicyState): Promise<void> {
    await Promise.allSettled([this.#writing]);
    // From here on the state is fixed: who saves now waits for the write after this one.
    this.#waiting = null;
    this.#writing = this.#write(state());
    await this.#writing;
  }

  async #write({ authorized, revoked }: PolicyState): Promise<void> {
    const file = {
      version: 1,
      authorized: authorized.map((entry) => ({
        tunnel_id: entry.tunnelId,
        ingress_token: entry.ingress,
        egress_token: entry.egress,
        name: entry.name,
      })),
      revoked,
    };
    await this.#makeDirectory();
    await writeFileAtomically(this.#path, `${JSON.stringify(file, null, 2)}\n`, this.#fileSystem);
  }

  async #makeDirectory(): Promise<void> {
    try {
      await this.#fileSystem.makeDirectory(dirname(this.#path));
    } catch (error) {
      throw new AppError('io-failed', `could not make the directory of ${this.#path}`, { cause: error });
    }
  }

  #read(): Promise<string | null> {
    return readIfThere(this.#path, () => this.#fileSystem.readText(this.#path));
  }
}
