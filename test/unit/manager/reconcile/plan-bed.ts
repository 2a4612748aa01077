import { NodePlan } from '../../../../src/manager/reconcile/node-plan.ts';
import type { PlanLeg } from '../../../../src/manager/reconcile/plan-leg.ts';
import type { OpenDrift, PlanAction, PlanInput, PlanSettings } from '../../../../src/manager/reconcile/plan-types.ts';
import type { NodeKind } from '../../../../src/manager/store/schema.ts';

export const settings: PlanSettings = {
  settleMs: 5_000,
  retryMs: 30_000,
  ghostAfterMs: 300_000,
  maxInFlight: { edge: 8, relay: 64 },
};

export function leg(change: Partial<PlanLeg> = {}): PlanLeg {
  const id = change.id ?? 'leg';
  return {
    id,
    resource: 'tunnel',
    resourceId: `tunnel-of-${id}`,
    name: 'camera',
    role: 'ingress',
    want: 'present',
    generation: 1,
    pushedGeneration: null,
    status: 'pending',
    error: null,
    errorCode: null,
    failedForMs: 0,
    pushable: true,
    waitsForOthers: false,
    digest: null,
    desired: { id: `tunnel-of-${id}`, name: 'camera', local_addr: '127.0.0.1:1' },
    ...change,
  };
}

export const pushedLeg = (change: Partial<PlanLeg> = {}): PlanLeg =>
  leg({ status: 'pushed', pushedGeneration: change.generation ?? 1, ...change });

/** A plan with a clock of its own, and everything that it wanted. */
export class PlanBed {
  readonly plan: NodePlan;
  readonly actions: PlanAction[] = [];
  nowMs = 1_000;

  constructor(change: Partial<PlanSettings> = {}) {
    this.plan = new NodePlan({ ...settings, ...change });
  }

  take(input: PlanInput): readonly PlanAction[] {
    const actions = this.plan.take(input, this.nowMs);
    this.actions.push(...actions);
    return actions;
  }

  online(
    legs: readonly PlanLeg[],
    nodeKind: NodeKind = 'edge',
    drift: readonly OpenDrift[] = [],
  ): readonly PlanAction[] {
    return this.take({ kind: 'online', nodeKind, legs, drift });
  }

  /** Time passes, in ticks of a second. */
  wait(ms: number): readonly PlanAction[] {
    const from = this.actions.length;
    for (let passed = 0; passed < ms; passed += 1000) {
      this.nowMs += Math.min(1000, ms - passed);
      this.take({ kind: 'tick' });
    }
    return this.actions.slice(from);
  }

  /** The newest push of a leg. */
  push(legId = 'leg'): Extract<PlanAction, { kind: 'push' }> {
    const found = this.pushes(legId).at(-1);
    if (found === undefined) throw new Error(`${legId} was not pushed`);
    return found;
  }

  pushes(legId = 'leg'): Extract<PlanAction, { kind: 'push' }>[] {
    return this.actions.filter((action) => action.kind === 'push').filter((action) => action.leg.id === legId);
  }

  ack(legId = 'leg', pushId = this.push(legId).pushId): readonly PlanAction[] {
    return this.take({ kind: 'answer', legId, pushId, ok: true });
  }

  nack(error: string, legId = 'leg', errorCode: string | null = null): readonly PlanAction[] {
    return this.take({ kind: 'answer', legId, pushId: this.push(legId).pushId, ok: false, error, errorCode });
  }

  /** Up to the look at the node, which brings this. */
  compare(content: unknown): readonly PlanAction[] {
    this.wait(settings.settleMs);
    return this.take({ kind: 'config', content });
  }

  get statuses(): readonly string[] {
    return this.plan.legs.map(({ status }) => status);
  }
}

export function kinds(actions: readonly PlanAction[]): string[] {
  return actions.map(({ kind }) => kind);
}

export function categories(actions: readonly PlanAction[]): string[] {
  return actions.flatMap((action) => (action.kind === 'raise' ? [action.event.category] : []));
}
