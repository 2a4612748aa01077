import { describe, expect, it } from 'vitest';
import type { Random } from '../../../../src/lib/random.ts';
import { ReconnectPlan } from '../../../../src/node-link/link/reconnect-plan.ts';

const middle: Random = { bytes: (length) => new Uint8Array(length), float: () => 0.5 };
const lowest: Random = { ...middle, float: () => 0 };

describe('the reconnect plan', () => {
  it('goes to the next address after every end, and round again', () => {
    const plan = new ReconnectPlan(middle, 3);
    const visited = (['failed', 'lost', 'refused', 'failed'] as const).map((end) => {
      plan.next(end, 1);
      return plan.current().urlIndex;
    });
    expect(visited).toEqual([1, 2, 0, 1]);
  });

  it('waits 5 s with half of it random, however often it fails', () => {
    const plan = new ReconnectPlan(middle, 1);
    expect(plan.next('failed', 1).delayMs).toBe(5_000);
    expect(plan.next('failed', 1).delayMs).toBe(5_000);
    expect(new ReconnectPlan(lowest, 1).next('lost', 1).delayMs).toBe(2_500);
  });

  it('waits longer while it is refused, up to a minute, and starts anew once accepted', () => {
    const plan = new ReconnectPlan(middle, 1);
    const delays = Array.from({ length: 6 }, () => plan.next('refused', 1).delayMs);
    expect(delays).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    plan.accepted();
    expect(plan.next('refused', 1).delayMs).toBe(5_000);
  });

  it('offers every secret to one address before it goes to the next, and reports when all are refused', () => {
    const plan = new ReconnectPlan(middle, 2);
    const steps = Array.from({ length: 4 }, () => ({
      allRefused: plan.next('refused', 2).allRefused,
      ...plan.current(),
    }));
    expect(steps).toEqual([
      { allRefused: false, urlIndex: 0, secretIndex: 1 },
      { allRefused: true, urlIndex: 1, secretIndex: 0 },
      { allRefused: false, urlIndex: 1, secretIndex: 1 },
      { allRefused: true, urlIndex: 0, secretIndex: 0 },
    ]);
  });

  it('goes on with the next secret at an address even when attempts there fail in between', () => {
    const plan = new ReconnectPlan(middle, 1);
    plan.next('refused', 2);
    plan.next('failed', 2);
    expect(plan.current().secretIndex).toBe(1);
    plan.accepted();
    expect(plan.current().secretIndex).toBe(0);
  });
});
