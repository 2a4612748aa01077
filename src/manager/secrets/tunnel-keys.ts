import type { TunnelKeys } from '../reconcile/wire-action.ts';
import type { TunnelRow } from '../store/schema.ts';
import type { Sealing } from './sealing.ts';

type SealedKeys = Pick<TunnelRow, 'id' | 'encryption_key_sealed' | 'bind_secret_sealed' | 'keys_unknown_at'>;

export function sealKeys(sealing: Sealing, id: string, keys: TunnelKeys) {
  return {
    encryption_key_sealed: sealing.seal(keys.encryptionKey, { table: 'tunnels', column: 'encryption_key', id }),
    bind_secret_sealed: sealing.seal(keys.bindSecret, { table: 'tunnels', column: 'bind_secret', id }),
    keys_unknown_at: null,
  };
}

/** Null where the manager does not know them. Throws AppError `input-invalid` where they cannot be opened. */
export function openKeys(sealing: Sealing, row: SealedKeys): TunnelKeys | null {
  const { id, encryption_key_sealed: key, bind_secret_sealed: secret, keys_unknown_at: unknownAt } = row;
  if (unknownAt !== null || key === null || secret === null) return null;
  return {
    encryptionKey: sealing.open(key, { table: 'tunnels', column: 'encryption_key', id }),
    bindSecret: sealing.open(secret, { table: 'tunnels', column: 'bind_secret', id }),
  };
}
