import { describe, expect, it } from 'vitest';
import { LoopGuard, startLoopPulse } from '../../../src/lib/loop-pulse.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const limitMs = 1000;

function guarded() {
  const clock = new ManualClock();
  const pulse = startLoopPulse(clock, limitMs);
  return { clock, pulse, guard: new LoopGuard(pulse) };
}

/** Looks every 100 ms over `ms`; the times at which the loop was stuck. */
function lookFor(guard: LoopGuard, fromMs: number, ms: number, turn: () => void): readonly number[] {
  const stuck: number[] = [];
  for (let nowMs = fromMs; nowMs <= fromMs + ms; nowMs += 100) {
    turn();
    if (guard.isStuck(nowMs)) stuck.push(nowMs);
  }
  return stuck;
}

describe('the guard of an event loop', () => {
  it('leaves a loop that turns alone', () => {
    const { clock, guard } = guarded();
    expect(lookFor(guard, 0, 10_000, () => clock.advance(100))).toEqual([]);
  });

  it('sees that a loop has not turned for one and a half limits', () => {
    const { guard } = guarded();
    expect(lookFor(guard, 0, 1600, () => undefined)).toEqual([1500, 1600]);
  });

  it('does not take a pause of the whole process for a loop that is stuck', () => {
    const { clock, guard } = guarded();
    lookFor(guard, 0, 500, () => clock.advance(100));
    expect(guard.isStuck(60_000)).toBe(false);
    expect(lookFor(guard, 60_100, 2000, () => clock.advance(100))).toEqual([]);
  });

  it('counts no turn after the pulse was disposed of', () => {
    const { clock, pulse } = guarded();
    clock.advance(limitMs);
    const turns = pulse.turns[0];
    pulse[Symbol.dispose]();
    clock.advance(limitMs);
    expect([turns, pulse.turns[0]]).toEqual([10, 10]);
  });
});
