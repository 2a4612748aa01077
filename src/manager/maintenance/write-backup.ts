import { link, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../lib/app-error.ts';
import type { OpenDatabase } from '../store/open-database.ts';

/**
 * Writes a copy of the database, also while it is in use: whole or not at all, readable for its owner only. Rejects
 * with AppError `config-invalid` where there is a file already and `replace` is false, or where the engine has tools of
 * its own.
 */
export async function writeBackup(
  { backup }: Pick<OpenDatabase, 'backup'>,
  path: string,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  if (backup === null) {
    throw new AppError('config-invalid', 'PostgreSQL has tools of its own for this: pg_dump writes a backup');
  }
  const partial = `${path}.partial`;
  try {
    await rm(partial, { force: true });
    await writeFile(partial, '', { mode: 0o600, flag: 'wx' });
    await backup(partial);
    await syncPath(partial);
    if (replace) await rename(partial, path);
    else await claim(partial, path);
    await syncPath(dirname(path));
  } catch (error) {
    await rm(partial, { force: true });
    if (error instanceof AppError && error.code === 'config-invalid') throw error;
    throw new AppError('io-failed', `the backup ${path} could not be written`, { cause: error });
  }
}

/** Gives the file its name unless another file has it. */
async function claim(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    throw new AppError('config-invalid', `there is a file ${path} already; name another one, or add --replace`);
  }
  await rm(partial);
}

/** Makes a file, or the names in a folder, survive a power loss. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
