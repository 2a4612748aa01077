import { AppError, errorMessage } from '../../lib/app-error.ts';
import { checkChain } from '../access/audit-chain.ts';
import type { Sealing } from '../secrets/sealing.ts';
import { createAccessStore } from '../store/create-access-store.ts';
import { integrityProblems, rowCounts } from '../store/integrity.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import { sealedValues } from '../store/sealed-values.ts';

export interface DatabaseReport {
  /** Each a sentence; empty when all is well. */
  readonly problems: readonly string[];
  readonly rows: Readonly<Record<string, number>>;
  /** Sealed values that the master key opens. */
  readonly sealed: number;
}

/** More of them say nothing new. */
const mostSealedProblems = 20;

/**
 * Looks at everything that is kept: the engine's own check, the chain of the audit trail, and whether the master key
 * opens each sealed value. `sealing` is null where there is no key. Changes nothing.
 */
export async function checkDatabase(database: OpenDatabase, sealing: Sealing | null): Promise<DatabaseReport> {
  const integrity = await integrityProblems(database);
  const chain = await checkChain(createAccessStore(database).trail);
  const values = await sealedValues(database);
  const damaged = sealing === null ? [] : values.flatMap((value) => problemOf(sealing, value));
  return {
    problems: [
      ...integrity,
      ...(chain.ok
        ? []
        : [`the audit trail was changed: row ${chain.broken_at} does not follow from the one before it`]),
      ...(sealing === null && values.length > 0
        ? [`there is no master key, so ${values.length} sealed values cannot be opened`]
        : []),
      ...damaged.slice(0, mostSealedProblems),
      ...(damaged.length > mostSealedProblems ? [`and ${damaged.length - mostSealedProblems} more sealed values`] : []),
    ],
    rows: await rowCounts(database),
    sealed: sealing === null ? 0 : values.length - damaged.length,
  };
}

function problemOf(
  sealing: Sealing,
  { sealed, ...place }: Awaited<ReturnType<typeof sealedValues>>[number],
): readonly string[] {
  try {
    sealing.open(sealed, place);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [`${place.table} ${place.id}: ${errorMessage(error)}`];
  }
}
