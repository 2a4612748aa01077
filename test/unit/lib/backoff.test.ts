import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/lib/backoff.ts';
import type { Random } from '../../../src/lib/random.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';

function always(value: number): Random {
  return { float: () => value, bytes: (length) => new Uint8Array(length) };
}

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.nextDelayMs());
}

describe('Backoff', () => {
  it('doubles up to the longest delay', () => {
    const backoff = new Backoff(always(0.9), { initialMs: 1_000, maxMs: 6_000, jitterRatio: 0 });
    expect(delays(backoff, 5)).toEqual([1_000, 2_000, 4_000, 6_000, 6_000]);
  });

  it('starts over after a success', () => {
    const backoff = new Backoff(always(0.5), { initialMs: 1_000, maxMs: 60_000, jitterRatio: 0.5 });
    delays(backoff, 4);
    backoff.reset();
    expect(backoff.nextDelayMs()).toBe(1_000);
  });

  it('spreads a delay to both sides by the jitter ratio', () => {
    const settings = { initialMs: 1_000, maxMs: 60_000, jitterRatio: 0.2 };
    expect(new Backoff(always(0), settings).nextDelayMs()).toBe(800);
    expect(new Backoff(always(0.999_999), settings).nextDelayMs()).toBe(1_200);
  });

  it('stays within its bounds whatever the settings and the luck', () => {
    const settings = fc.record({
      initialMs: fc.integer({ min: 1, max: 5_000 }),
      maxMs: fc.integer({ min: 5_000, max: 100_000 }),
      jitterRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(settings, fc.integer(), (bounds, seed) => {
        const backoff = new Backoff(new SeededRandom(seed), bounds);
        return delays(backoff, 20).every((delayMs) => delayMs >= 0 && delayMs <= bounds.maxMs);
      }),
    );
  });

  it.each([
    { initialMs: 0, maxMs: 10, jitterRatio: 0 },
    { initialMs: 20, maxMs: 10, jitterRatio: 0 },
    { initialMs: 1, maxMs: 10, jitterRatio: 1.1 },
    { initialMs: 1, maxMs: 10, jitterRatio: -0.1 },
  ])('refuses $initialMs to $maxMs ms with jitter $jitterRatio', (settings) => {
    expect(() => new Backoff(always(0), settings)).toThrow(RangeError);
  });
});
