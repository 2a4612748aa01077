import { describe, expect, it } from 'vitest';
import { simulateDay } from '../../../support/observer/silent-day.ts';

describe('a simulated day of 250 agents that fall silent, restart and wrap, under an observer that stands still now and then', () => {
  it.each([1, 2, 3])('misses no silence and accuses nobody falsely (seed %i)', (seed) => {
    const { falseStalls, missedStalls, beats, stalls, counters } = simulateDay(seed);
    expect(falseStalls).toEqual([]);
    expect(missedStalls).toEqual([]);
    // The day really held what it is about.
    expect(beats).toBeGreaterThan(300_000);
    expect(stalls).toBeGreaterThan(300);
    expect(counters.nonceRestarts).toBeGreaterThan(300);
    expect(counters.nonceWraps).toBeGreaterThan(200);
    expect(counters.outOfOrder).toBeGreaterThan(200);
  });
});
