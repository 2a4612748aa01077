import { constants, copyFile, link, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import { endSessions } from '../store/end-sessions.ts';
import { integrityProblems } from '../store/integrity.ts';
import { openDatabase, sqlitePathOf } from '../store/open-database.ts';
import { syncPath } from './write-backup.ts';

export interface RestoreInput {
  readonly backupPath: string;
  /** Of the manager: `sqlite:PATH`. */
  readonly databaseUrl: string;
  readonly clock: Clock;
}

/**
 * Puts a backup in the place of the manager's database and keeps the one that was there under another name, which it
 * returns (null for none). Sessions of people end. Rejects with AppError, and leaves everything as it was, where the
 * backup is damaged or a manager runs.
 */
export async function restoreBackup({ backupPath, databaseUrl, clock }: RestoreInput): Promise<string | null> {
  const path = sqlitePathOf(databaseUrl);
  if (path === null) {
    throw new AppError('config-invalid', 'the database is PostgreSQL; restore its own dump with pg_restore or psql');
  }
  const exists = await isThere(path);
  if (exists) await refuseRunning(databaseUrl, clock);
  const fresh = `${path}.restoring`;
  await removeFiles(fresh);
  try {
    await copyFile(backupPath, fresh, constants.COPYFILE_FICLONE).catch((cause: unknown) => {
      throw new AppError('io-failed', `the backup ${backupPath} cannot be read`, { cause });
    });
    await prepare(backupPath, fresh, clock);
    const kept = exists ? await keepOld(path, clock.now()) : null;
    await rename(fresh, path);
    await syncPath(dirname(path));
    return kept;
  } catch (error) {
    await removeFiles(fresh);
    throw error;
  }
}

/** A database that is damaged may be replaced; one that is in use may not. */
async function refuseRunning(databaseUrl: string, clock: Clock): Promise<void> {
  try {
    const database = await openDatabase(databaseUrl, { clock, onError: () => undefined, asItIs: true });
    await database.close();
  } catch (error) {
    if (errorMessage(error).includes('in use') || errorMessage(error).includes('another process')) throw error;
  }
}

/** Checks the copy, and ends what belonged to the time of the backup. */
async function prepare(backupPath: string, fresh: string, clock: Clock): Promise<void> {
  const database = await openDatabase(`sqlite:${fresh}`, { clock, onError: () => undefined, asItIs: true }).catch(
    (cause: unknown) => {
      throw new AppError('config-invalid', `${backupPath} is not a backup of a manager`, { cause });
    },
  );
  try {
    const [problem] = await integrityProblems(database);
    if (problem !== undefined) throw new AppError('config-invalid', `the backup ${backupPath} is damaged: ${problem}`);
    await endSessions(database);
  } finally {
    await database.close();
  }
  await syncPath(fresh);
}

async function keepOld(path: string, now: number): Promise<string> {
  const kept = `${path}.before-restore-${rfc3339(now).replaceAll(/[:.]/g, '-')}`;
  for (const ending of ['-wal', '-shm']) {
    if (await isThere(`${path}${ending}`)) await rename(`${path}${ending}`, `${kept}${ending}`);
  }
  // A second name for it: at every moment one of the two databases is in place.
  await link(path, kept);
  return kept;
}

async function removeFiles(path: string): Promise<void> {
  for (const ending of ['', '-wal', '-shm', '.pid']) await rm(`${path}${ending}`, { force: true });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
