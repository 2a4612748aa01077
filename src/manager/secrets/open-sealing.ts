import { stat } from 'node:fs/promises';
import { AppError } from '../../lib/app-error.ts';
import type { Random } from '../../lib/random.ts';
import { sqlitePathOf } from '../store/open-database.ts';
import { loadMasterKey } from './master-key.ts';
import { Sealing } from './sealing.ts';

export interface SealingSource {
  /** Of the key's file; null is a bug of the caller. */
  readonly master_key_path: string | null;
  readonly database: { readonly url: string };
}

/**
 * The sealing with the master key of the environment (`ADIT_MASTER_KEY`) or the file. Makes a key only if there is no
 * embedded database yet. An existing database was sealed with an existing key; a new key would open nothing of it.
 * Rejects as `loadMasterKey`.
 */
export async function openSealing(
  { master_key_path: path, database }: SealingSource,
  random: Random,
  environment: NodeJS.ProcessEnv,
): Promise<Sealing> {
  if (path === null) throw new AppError('bug', 'the config has no path of the master key');
  const sqlitePath = sqlitePathOf(database.url);
  const mayCreate = sqlitePath !== null && !(await exists(sqlitePath));
  return new Sealing(
    await loadMasterKey(path, { environment: environment['ADIT_MASTER_KEY'], random, mayCreate }),
    random,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
