import type { AuditRow } from '../store/access-schema.ts';
import type { AuditReader } from '../store/access-store.ts';
import { auditHash } from '../store/kysely-audit.ts';

const rowsAtOnce = 1_000;

export interface ChainCheck {
  readonly ok: boolean;
  readonly checked: number;
  /** Id of the first row that does not follow from the one before. */
  readonly broken_at: number | null;
}

/** Walks the audit trail: a row that was changed, added or removed within it breaks the chain of hashes. */
export async function checkChain(trail: Pick<AuditReader, 'chain' | 'anchor'>): Promise<ChainCheck> {
  let previous = await trail.anchor();
  let checked = 0;
  let after = 0;
  for (;;) {
    const rows = await trail.chain(after, rowsAtOnce);
    const broken = rows.find((row) => {
      const follows = row.hash === auditHash(previous, row);
      previous = row.hash;
      return !follows;
    });
    if (broken !== undefined) return { ok: false, checked: checked + rows.indexOf(broken), broken_at: broken.id };
    checked += rows.length;
    const last: AuditRow | undefined = rows.at(-1);
    if (last === undefined) return { ok: true, checked, broken_at: null };
    after = last.id;
  }
}
