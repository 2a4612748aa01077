import { AppError } from '../../lib/app-error.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Sealing } from './sealing.ts';

/**
 * Makes sure that the master key is the one that sealed what is stored. Rejects with AppError `config-invalid` that
 * names the key which is needed. With `forget`, marks those keys as unknown instead: tunnels run on, webhooks are
 * disabled.
 */
export async function checkSealed(
  database: OpenDatabase,
  sealing: Sealing,
  { forget, now }: { readonly forget: boolean; readonly now: number },
): Promise<void> {
  const other = await database.sealedWithOther(`v1.${sealing.keyId}.`);
  if (other === null) return;
  const keyId = other.split('.')[1] ?? '';
  if (forget) {
    await database.forgetSealed(`v1.${sealing.keyId}.`, now);
    return;
  }
  const ways = 'give that key (ADIT_MASTER_KEY or master_key_path), or start once with --forget-sealed';
  throw new AppError(
    'config-invalid',
    `the keys of tunnels and webhooks were sealed with the master key ${keyId}, not ${sealing.keyId}: ${ways}`,
  );
}
