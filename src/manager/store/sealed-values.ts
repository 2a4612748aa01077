import type { Kysely } from 'kysely';
import { lostSecret } from './access-schema.ts';
import type { Tables } from './schema.ts';

interface WithTables {
  readonly db: Kysely<Tables>;
}

/** A value that the master key opens, and where it stands (docs of `secrets/sealing.ts`: it opens nowhere else). */
export interface SealedValue {
  readonly table: 'tunnels' | 'webhooks';
  readonly column: 'encryption_key' | 'bind_secret' | 'secret_sealed';
  readonly id: string;
  readonly sealed: string;
}

/** Every sealed value that outlives a restart. Commands are sealed too, but live for seconds. */
export async function sealedValues({ db }: WithTables): Promise<readonly SealedValue[]> {
  const tunnels = await db
    .selectFrom('tunnels')
    .select(['id', 'encryption_key_sealed', 'bind_secret_sealed'])
    .orderBy('id')
    .execute();
  const webhooks = await db.selectFrom('webhooks').select(['id', 'secret_sealed']).orderBy('id').execute();
  return [
    ...tunnels.flatMap(({ id, encryption_key_sealed: key, bind_secret_sealed: secret }): SealedValue[] => [
      ...(key === null ? [] : [{ table: 'tunnels' as const, column: 'encryption_key' as const, id, sealed: key }]),
      ...(secret === null ? [] : [{ table: 'tunnels' as const, column: 'bind_secret' as const, id, sealed: secret }]),
    ]),
    ...webhooks.flatMap(({ id, secret_sealed: sealed }): SealedValue[] =>
      sealed === lostSecret ? [] : [{ table: 'webhooks', column: 'secret_sealed', id, sealed }],
    ),
  ];
}

/**
 * Replaces every sealed value by what `reseal` returns for it, all in one transaction, and returns how many there were.
 * Waiting commands are dropped: the new key does not open them. What `reseal` throws undoes everything.
 */
export async function replaceSealed({ db }: WithTables, reseal: (value: SealedValue) => string): Promise<number> {
  return db.transaction().execute(async (inside) => {
    const values = await sealedValues({ db: inside });
    for (const value of values) {
      const sealed = reseal(value);
      if (value.table === 'webhooks') {
        await inside.updateTable('webhooks').set({ secret_sealed: sealed }).where('id', '=', value.id).execute();
      } else {
        const change =
          value.column === 'encryption_key' ? { encryption_key_sealed: sealed } : { bind_secret_sealed: sealed };
        await inside.updateTable('tunnels').set(change).where('id', '=', value.id).execute();
      }
    }
    await inside.deleteFrom('commands').execute();
    return values.length;
  });
}
