import type { DriftResource } from '../store/schema.ts';
import type { Difference, OpenDrift, PlanAction, PlanEvent } from './plan-types.ts';

/** The differences of one node that are open: each is reported once, and closes by itself when it is gone. */
export class DriftLedger {
  readonly #open = new Map<string, OpenDrift>();

  constructor(open: readonly OpenDrift[]) {
    for (const drift of open) this.#open.set(keyOf(drift), drift);
  }

  has(resource: DriftResource, resourceId: string): boolean {
    return this.#open.has(keyOf({ resource, resourceId }));
  }

  /** What was found is everything that differs; `undecided` could not be judged this time and stays as it is. */
  update(found: readonly Difference[], undecided: ReadonlySet<string>): PlanAction[] {
    const actions: PlanAction[] = [];
    const seen = new Set<string>();
    for (const difference of found) {
      const key = keyOf(difference);
      seen.add(key);
      const known = this.#open.get(key);
      if (known?.fingerprint === difference.fingerprint) continue;
      const mutedFingerprint = known?.mutedFingerprint ?? null;
      const { resource, resourceId, fingerprint } = difference;
      this.#open.set(key, { resource, resourceId, fingerprint, mutedFingerprint });
      actions.push({ kind: 'open-drift', difference });
      if (mutedFingerprint !== fingerprint) actions.push({ kind: 'raise', event: eventOf(difference) });
    }
    for (const [key, { resource, resourceId }] of this.#open) {
      if (seen.has(key) || undecided.has(resourceId)) continue;
      this.#open.delete(key);
      actions.push({ kind: 'close-drift', resource, resourceId });
    }
    return actions;
  }
}

function keyOf({ resource, resourceId }: Pick<OpenDrift, 'resource' | 'resourceId'>): string {
  return `${resource}/${resourceId}`;
}

function eventOf(difference: Difference): PlanEvent {
  const { kind, resource, resourceId, name, fields } = difference;
  const base = { resource, resourceId, details: { resource, name, fields } };
  const category = `config_sync.drift_${kind}` as const;
  switch (kind) {
    case 'extraneous':
      return { ...base, category, severity: 'info', message: `${resource} '${name}' exists on the node but not here` };
    case 'missing':
      return { ...base, category, severity: 'warning', message: `${resource} '${name}' is missing on the node` };
    case 'mismatched': {
      const paths = fields.map(({ path }) => path).join(', ');
      return { ...base, category, severity: 'warning', message: `${resource} '${name}' differs on the node: ${paths}` };
    }
  }
}
