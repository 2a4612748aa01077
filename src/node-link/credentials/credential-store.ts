import { z } from 'zod';
import { AppError } from '../../lib/app-error.ts';
import { MAX_CREDENTIAL_CHARS } from '../../protocol/node/limits.ts';
import { maxPreviousSecrets, type Credentials } from './credentials.ts';
import type { ConfigFile } from '../../config/config-file.ts';

/** What the files say of the node's identity. */
export interface StoredIdentity {
  readonly credentials: Credentials | null;
  readonly registrationToken: string | null;
}

const text = z.string().min(1).max(MAX_CREDENTIAL_CHARS);
const identitySchema = z.object({
  node_id: text.nullish(),
  node_secret: text.nullish(),
  previous_node_secrets: z.array(text).max(maxPreviousSecrets).nullish(),
  registration_token: text.nullish(),
});
const configSchema = z.object({ manager: identitySchema.nullish() });

/**
 * Where a node's credentials live: under `manager` in its config file, or in a file of their own beside a read-only
 * config.
 */
export class CredentialStore {
  readonly #config: ConfigFile;
  readonly #own: ConfigFile | null;

  constructor(config: ConfigFile, own: ConfigFile | null) {
    this.#config = config;
    this.#own = own;
  }

  /** Rejects with an AppError `io-failed` or `config-invalid`. */
  async load(): Promise<StoredIdentity> {
    const manager = readIdentity(configSchema, await this.#config.read(), this.#config.path)?.manager;
    const registrationToken = manager?.registration_token ?? null;
    const own = this.#own && readIdentity(identitySchema, await this.#own.read(), this.#own.path);
    return { credentials: toCredentials(own) ?? toCredentials(manager), registrationToken };
  }

  /**
   * Resolves when the credentials are safely on disk; a spent token goes from the config with the same write. Rejects
   * with an AppError; the old ones are then still there, unless only syncing the directory failed.
   */
  async save({ nodeId, secret, previousSecrets }: Credentials): Promise<void> {
    const previous = previousSecrets.length === 0 ? undefined : previousSecrets;
    const values = { node_id: nodeId, node_secret: secret, previous_node_secrets: previous };
    const edits = Object.entries(values).map(([key, value]) => ({ path: [key], value }));
    if (this.#own !== null) return this.#own.edit(edits);
    const inManager = [...edits, { path: ['registration_token'], value: undefined }];
    await this.#config.edit(inManager.map(({ path, value }) => ({ path: ['manager', ...path], value })));
  }

  /** Rejects when credentials could not be saved. */
  proveWritable(): Promise<void> {
    return (this.#own ?? this.#config).proveWritable();
  }
}

function readIdentity<T>(schema: z.ZodType<T>, content: unknown, path: string): T | null {
  if (content === null) return null;
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new AppError('config-invalid', `${path}: ${where} is not a usable credential`);
}

function toCredentials(identity: z.output<typeof identitySchema> | null | undefined): Credentials | null {
  const { node_id: nodeId, node_secret: secret, previous_node_secrets: previous } = identity ?? {};
  if (typeof nodeId !== 'string' || typeof secret !== 'string') return null;
  return { nodeId, secret, previousSecrets: previous ?? [] };
}
