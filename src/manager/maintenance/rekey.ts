import { link, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../../lib/app-error.ts';
import type { Random } from '../../lib/random.ts';
import { loadMasterKey } from '../secrets/master-key.ts';
import { Sealing } from '../secrets/sealing.ts';
import { createStore } from '../store/create-store.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { replaceSealed } from '../store/sealed-values.ts';
import { syncPath } from './write-backup.ts';

export interface RekeyInput {
  readonly database: OpenDatabase;
  /** With the key in force. */
  readonly sealing: Sealing;
  readonly random: Random;
  /** Of the key in force; null where it comes from the environment. */
  readonly keyPath: string | null;
  /** Holds the new key; made where it is not there. */
  readonly newKeyPath: string;
  /** An instance that has not renewed for so long is dead. */
  readonly leaseMs: number;
}

export interface Rekeyed {
  readonly values: number;
  readonly keyId: string;
  /** Where the old key is kept, since older backups need it; null where it comes from the environment. */
  readonly oldKeyPath: string | null;
}

/**
 * Seals everything anew with a new master key, in one transaction, and puts the new key in the place of the old one. A
 * run that was interrupted is completed by the next one. Rejects with AppError, all as it was, while a manager runs or
 * where a value cannot be opened.
 */
export async function rekey(input: RekeyInput): Promise<Rekeyed> {
  const { database, sealing, random, keyPath, newKeyPath } = input;
  await refuseRunning(input);
  const fresh = new Sealing(
    await loadMasterKey(newKeyPath, { environment: undefined, random, mayCreate: true }),
    random,
  );
  const mark = `v1.${fresh.keyId}.`;
  const values = await replaceSealed(database, ({ sealed, ...place }) =>
    sealed.startsWith(mark) ? sealed : fresh.seal(sealing.open(sealed, place), place),
  );
  if (keyPath === null) return { values, keyId: fresh.keyId, oldKeyPath: null };
  const oldKeyPath = `${keyPath}.${sealing.keyId}`;
  // A second name first: at every moment there is a key in place.
  await link(keyPath, oldKeyPath).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  await rename(newKeyPath, keyPath);
  await syncPath(dirname(keyPath));
  return { values, keyId: fresh.keyId, oldKeyPath };
}

/** An embedded database in use could not have been opened; several instances show by their leases. */
async function refuseRunning({ database, leaseMs }: RekeyInput): Promise<void> {
  if (database.engine === 'sqlite') return;
  const alive = (await createStore(database).instances.all()).filter(({ age_ms: ageMs }) => ageMs < leaseMs);
  if (alive.length === 0) return;
  const names = alive.map(({ name }) => name).join(', ');
  throw new AppError(
    'config-invalid',
    `stop all managers first: ${names} would not be able to open what is sealed anew`,
  );
}
