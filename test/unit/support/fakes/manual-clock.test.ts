import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

describe('ManualClock', () => {
  it('fires what is due in order of time, and at that time', () => {
    const clock = new ManualClock(1_000);
    const seen: [string, number][] = [];
    clock.setTimeout(() => seen.push(['late', clock.now()]), 30);
    clock.setTimeout(() => seen.push(['early', clock.now()]), 10);
    clock.setTimeout(() => seen.push(['never', clock.now()]), 31);
    clock.advance(30);
    expect(seen).toEqual([
      ['early', 1_010],
      ['late', 1_030],
    ]);
    expect(clock.nextTimerMs).toBe(1);
  });

  it('fires timers that a callback sets, when they fall due within the same move', () => {
    const clock = new ManualClock();
    const seen: number[] = [];
    clock.setTimeout(() => {
      clock.setTimeout(() => seen.push(clock.monotonicMs()), 5);
    }, 10);
    clock.advance(20);
    expect(seen).toEqual([15]);
    expect(clock.monotonicMs()).toBe(20);
  });

  it('fires an interval until it is cancelled, also from its own callback', () => {
    const clock = new ManualClock();
    let calls = 0;
    const timer = clock.setInterval(() => {
      calls += 1;
      if (calls === 3) timer.cancel();
    }, 10);
    clock.advance(1_000);
    expect(calls).toBe(3);
    expect(clock.pendingTimers).toBe(0);
    expect(clock.nextTimerMs).toBeNull();
  });

  it('lets promises settle between timers', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    clock.setTimeout(() => {
      void Promise.resolve().then(() => clock.setTimeout(() => seen.push('chained'), 5));
    }, 5);
    await clock.advanceAsync(10);
    expect(seen).toEqual(['chained']);
  });
});
