import type { Actor } from '../fleet.ts';
import type { AccessStore } from '../store/access-store.ts';

export interface AuditNote {
  readonly action: string;
  readonly target?: string | null;
  /** What was there before and after; never a secret, a hash or a password. */
  readonly before?: unknown;
  readonly after?: unknown;
  readonly outcome?: string;
}

/** Writes one row of the audit trail; call it within the transaction of the change. */
export function audit(store: AccessStore, actor: Actor, at: number, note: AuditNote): Promise<void> {
  return store.audit.append({
    at,
    actor: actor.name,
    actor_kind: actor.kind,
    ip: actor.ip,
    action: note.action,
    target: note.target ?? null,
    before: note.before === undefined ? null : JSON.stringify(note.before),
    after: note.after === undefined ? null : JSON.stringify(note.after),
    outcome: note.outcome ?? 'ok',
  });
}
