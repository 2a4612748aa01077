import type { PlanLeg, PushCause } from './plan-leg.ts';
import type { PlanAction, PlanEvent } from './plan-types.ts';

const maxRetryMs = 300_000;
/** Equal errors in a row before the pauses grow. */
const patientRetries = 10;
const spreadMs = 3_000;

export interface Push {
  readonly id: number;
  readonly generation: number;
  readonly cause: PushCause;
  readonly reallyBehind: boolean;
}

export interface LegWork {
  leg: PlanLeg;
  push: Push | null;
  /** When a failed leg is tried again; null: as soon as there is room. */
  nextTryMs: number | null;
  heldUntilMs: number | null;
  equalErrors: number;
  triedInSession: boolean;
  failedForMs: number;
  storedFailedForMs: number;
  ghost: boolean;
  /** Pushed or changed since the last look at the node began, so that look says nothing about it. */
  touched: boolean;
  attempt: number;
}

/** The pause after a failure: as set, spread over the legs, and up to five minutes after many equal errors. */
export function retryDelay({ leg, equalErrors }: LegWork, retryMs: number): number {
  const patience = Math.max(0, equalErrors - patientRetries);
  const base = Math.min(maxRetryMs, retryMs * 2 ** Math.min(patience, 10));
  const spread = Math.min(spreadMs, retryMs / 10);
  return Math.max(retryMs - spread, base + (fraction(leg.id) * 2 - 1) * spread);
}

/** Reported where the leg was really behind, not where an operator waits for the result. */
export function succeeded(work: LegWork, push: Push): PlanAction[] {
  if (push.cause === 'direct' || !push.reallyBehind) return [];
  const { resource, name, role } = work.leg;
  const event = pushEvent(work, 'push_succeeded', 'info', `Pushed ${resource} '${name}' (${role})`, {});
  return [{ kind: 'raise', event }];
}

export function pushEvent(
  { leg, attempt }: LegWork,
  what: 'push_succeeded' | 'push_failed',
  severity: PlanEvent['severity'],
  message: string,
  details: Readonly<Record<string, unknown>>,
): PlanEvent {
  const { resource, resourceId, name, role, generation } = leg;
  const all = { resource, name, role, generation, attempt, ...details };
  return { category: `config_sync.${what}`, severity, message, resource, resourceId, details: all };
}

/** The same number from 0 to 1 for the same id. */
function fraction(id: string): number {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return hash / 65_521;
}
