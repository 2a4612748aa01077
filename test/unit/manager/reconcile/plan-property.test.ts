import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PlanLeg } from '../../../../src/manager/reconcile/plan-leg.ts';
import type { PlanAction } from '../../../../src/manager/reconcile/plan-types.ts';
import { leg, PlanBed } from './plan-bed.ts';

type Step =
  | { readonly kind: 'edit'; readonly leg: number }
  | { readonly kind: 'flap' }
  | { readonly kind: 'answer'; readonly ok: boolean; readonly which: number }
  | { readonly kind: 'lose'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('edit' as const), leg: fc.nat(3) }),
    fc.record({ kind: fc.constant('flap' as const) }),
    fc.record({ kind: fc.constant('answer' as const), ok: fc.boolean(), which: fc.nat(5) }),
    fc.record({ kind: fc.constant('lose' as const), which: fc.nat(5) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 40_000 }) }),
  ),
  { maxLength: 60 },
);

interface Underway {
  readonly legId: string;
  readonly pushId: number;
  readonly generation: number;
}

/** What is stored, what the node has, and what is under way between them. */
class World {
  readonly bed = new PlanBed({ ghostAfterMs: 0 });
  readonly stored = new Map<string, PlanLeg>();
  readonly node = new Map<string, number>();
  /** Generations that the node acknowledged in the session that is or was its last. */
  readonly acknowledged = new Map<string, number>();
  underway: Underway[] = [];

  constructor() {
    for (let index = 0; index < 4; index++) this.stored.set(`leg${index}`, leg({ id: `leg${index}` }));
    this.#connect();
  }

  step(step: Step): void {
    switch (step.kind) {
      case 'edit': {
        const id = `leg${step.leg}`;
        const before = this.#get(id);
        const changed = { ...before, generation: before.generation + 1, status: 'pending' as const, error: null };
        this.stored.set(id, changed);
        this.#apply(this.bed.take({ kind: 'leg-changed', leg: changed }));
        return;
      }
      case 'flap':
        this.#apply(this.bed.take({ kind: 'offline' }));
        this.underway = [];
        this.#connect();
        return;
      case 'answer':
        this.#answer(step.which, step.ok);
        return;
      case 'lose':
        this.#lose(step.which);
        return;
      case 'wait':
        this.#apply(this.bed.wait(step.ms));
    }
  }

  check(): void {
    for (const { id, status, generation, pushedGeneration } of this.stored.values()) {
      if (status !== 'pushed') continue;
      expect(pushedGeneration).toBe(generation);
      expect(this.acknowledged.get(id)).toBe(generation);
    }
  }

  /** Everything is answered; the node ends with the last value of each. */
  settle(): void {
    for (let round = 0; round < 300; round++) {
      while (this.underway.length > 0) this.#answer(0, true);
      this.#apply(this.bed.wait(2_000));
    }
    for (const { id, generation, status } of this.stored.values()) {
      expect([id, status, this.node.get(id)]).toEqual([id, 'pushed', generation]);
    }
    expect(this.bed.plan.phase).toBe('steady');
  }

  #connect(): void {
    this.#apply(this.bed.online([...this.stored.values()]));
  }

  #answer(which: number, ok: boolean): void {
    const push = this.#take(which);
    if (push === undefined) return;
    if (ok) {
      this.node.set(push.legId, push.generation);
      this.acknowledged.set(push.legId, push.generation);
    }
    this.#apply(this.bed.take({ kind: 'answer', legId: push.legId, pushId: push.pushId, ok, error: 'no' }));
  }

  /** The node did it, and its answer was lost. */
  #lose(which: number): void {
    const push = this.#take(which);
    if (push === undefined) return;
    this.node.set(push.legId, push.generation);
    this.#apply(this.bed.take({ kind: 'answer', legId: push.legId, pushId: push.pushId, ok: false, error: 'timeout' }));
  }

  #take(which: number): Underway | undefined {
    return this.underway.splice(which % Math.max(1, this.underway.length), 1)[0];
  }

  #get(id: string): PlanLeg {
    const found = this.stored.get(id);
    if (found === undefined) throw new Error(id);
    return found;
  }

  #apply(actions: readonly PlanAction[]): void {
    for (const action of actions) {
      if (action.kind === 'push') {
        const { id, generation } = action.leg;
        this.underway.push({ legId: id, pushId: action.pushId, generation });
      } else if (action.kind === 'record-pushed') {
        const before = this.#get(action.legId);
        const status = before.generation === action.generation ? 'pushed' : 'pending';
        this.stored.set(action.legId, { ...before, status, pushedGeneration: action.generation });
      } else if (action.kind === 'record-failed') {
        const before = this.#get(action.legId);
        this.stored.set(action.legId, { ...before, status: action.status, error: action.error });
      } else if (action.kind === 'fetch-config') {
        const tunnels = [...this.node.keys()].map((id) => ({ ...leg({ id }).desired }));
        this.#apply(this.bed.take({ kind: 'config', content: { tunnels } }));
      }
    }
  }
}

it('MC1 a leg is pushed only if the node acknowledged that generation in its last session; in the end all are', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const world = new World();
      for (const step of sequence) {
        world.step(step);
        world.check();
      }
      world.settle();
    }),
    { numRuns: 200, seed: 17 },
  );
});
