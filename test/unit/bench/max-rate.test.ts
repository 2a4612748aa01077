import { describe, expect, it } from 'vitest';
import { findMaxRate, type RateTrial } from '../../../bench/figures/max-rate.ts';

const options = { firstPerSec: 1000, mostPerSec: 100_000, halvings: 3 };

/** A relay that carries up to `limit`, and every attempt at it. */
function relayOf(limit: number): { attempt: (ratePerSec: number) => Promise<RateTrial>; readonly tried: number[] } {
  const tried: number[] = [];
  const attempt = (ratePerSec: number): Promise<RateTrial> => {
    tried.push(ratePerSec);
    return Promise.resolve({ ratePerSec, passed: ratePerSec <= limit, bottleneck: 'relay' });
  };
  return { attempt, tried };
}

describe('the search for the highest rate', () => {
  it('steps up to the first rate that fails, and narrows the gap down', async () => {
    const { attempt } = relayOf(8000);
    const { ratePerSec, bottleneck } = await findMaxRate([], attempt, options);
    expect(ratePerSec).toBeGreaterThan(7000);
    expect(ratePerSec).toBeLessThanOrEqual(8000);
    expect(bottleneck).toBe('relay');
  });

  it('begins at the highest rate that is known to pass, and tries again what failed elsewhere', async () => {
    const { attempt, tried } = relayOf(32_000);
    const known = [
      { ratePerSec: 10_000, passed: false, bottleneck: 'machine' },
      { ratePerSec: 20_000, passed: true, bottleneck: 'none' },
      { ratePerSec: 30_000, passed: false, bottleneck: 'machine' },
    ];
    const { ratePerSec } = await findMaxRate(known, attempt, options);
    expect(tried[0]).toBe(30_000);
    expect(ratePerSec).toBeGreaterThanOrEqual(30_000);
  });

  it('tries a rate that failed once more', async () => {
    let failures = 1;
    const attempt = (ratePerSec: number): Promise<RateTrial> => {
      const passed = ratePerSec < 2000 || failures-- <= 0;
      return Promise.resolve({ ratePerSec, passed, bottleneck: 'none' });
    };
    expect(await findMaxRate([], attempt, options)).toEqual({ ratePerSec: 100_000, bottleneck: null });
  });

  it('finds none where nothing passes', async () => {
    expect(await findMaxRate([], relayOf(0).attempt, options)).toEqual({ ratePerSec: null, bottleneck: 'relay' });
  });

  it('answers with the highest pass below the lowest failure', async () => {
    const known = [{ ratePerSec: 20_000, passed: true, bottleneck: 'none' }];
    expect((await findMaxRate(known, relayOf(0).attempt, options)).ratePerSec).toBe(20_000);
  });
});
