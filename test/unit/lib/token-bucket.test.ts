import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/lib/token-bucket.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

describe('TokenBucket', () => {
  it('lets a burst through, then refuses', () => {
    const bucket = new TokenBucket(new ManualClock(), { ratePerSecond: 1, burst: 3 });
    expect([1, 2, 3, 4].map(() => bucket.tryTake())).toEqual([true, true, true, false]);
  });

  it('refills at its rate, up to its burst', () => {
    const clock = new ManualClock();
    const bucket = new TokenBucket(clock, { ratePerSecond: 10, burst: 5 });
    expect(bucket.tryTake(5)).toBe(true);
    clock.advance(99);
    expect(bucket.tryTake()).toBe(false);
    clock.advance(1);
    expect(bucket.tryTake()).toBe(true);
    clock.advance(60_000);
    expect(bucket.isFull()).toBe(true);
    expect(bucket.tryTake(6)).toBe(false);
    expect(bucket.tryTake(5)).toBe(true);
    expect(bucket.isFull()).toBe(false);
  });

  it('takes nothing when it refuses', () => {
    const bucket = new TokenBucket(new ManualClock(), { ratePerSecond: 1, burst: 2 });
    expect(bucket.tryTake(3)).toBe(false);
    expect(bucket.tryTake(2)).toBe(true);
  });

  it('never lets more through than burst plus rate times time', () => {
    const step = fc.record({ waitMs: fc.nat(2_000), takes: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const clock = new ManualClock();
        const bucket = new TokenBucket(clock, { ratePerSecond: 7, burst: 11 });
        let taken = 0;
        for (const { waitMs, takes } of steps) {
          clock.advance(waitMs);
          for (let index = 0; index < takes; index += 1) if (bucket.tryTake()) taken += 1;
        }
        return taken <= 11 + 7 * (clock.monotonicMs() / 1_000) + 1e-6;
      }),
    );
  });

  it.each([
    { ratePerSecond: 0, burst: 1 },
    { ratePerSecond: 1, burst: 0 },
    { ratePerSecond: Number.NaN, burst: 1 },
  ])('refuses a rate of $ratePerSecond with a burst of $burst', (settings) => {
    expect(() => new TokenBucket(new ManualClock(), settings)).toThrow(RangeError);
  });
});
