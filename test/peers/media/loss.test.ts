import { describe, expect, it } from 'vitest';
import { lossThrough, lossTowardsLibsrt, lossTowardsUs } from '../../support/media/loss-trial.ts';

/** `npm run long:media` does the same for ten minutes. */
describe('SRT against libsrt over a path that loses packets both ways', () => {
  it.each([
    ['libsrt sends', lossTowardsUs],
    ['a flow sends', lossTowardsLibsrt],
    ['a flow passes on', lossThrough],
  ])('%s: of 2 in 100 nothing is missing in the end, through three key refreshes', async (_name, trial) => {
    const result = await trial({ seconds: 8, lossRate: 0.02, latencyMs: 1000 });
    expect(result).toMatchObject({ missing: 0, repeated: 0 });
    expect(result.packets).toBeGreaterThan(result.sent - 100);
    expect(result.keyRefreshes).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ['libsrt sends', lossTowardsUs],
    ['a flow sends', lossTowardsLibsrt],
  ])('%s: of 5 in 100 at most one in 10,000 is missing in the end', async (_name, trial) => {
    const result = await trial({ seconds: 8, lossRate: 0.05, latencyMs: 1000 });
    expect(result.missing).toBeLessThanOrEqual(result.sent / 10_000);
  });
});
