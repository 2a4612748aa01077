import { describe, expect, it } from 'vitest';
import { builtEngines } from '../../support/programs/engines.ts';
import { runOutage } from '../../support/programs/outage.ts';

describe.each(await builtEngines())('while the manager is away, a relay over %s', (engine) => {
  it('loses no event although it is killed with -9 in the middle, and sends them in order', async () => {
    const result = await runOutage({ engine, edges: 100, atOnce: 10, awayMs: 2_000 });
    expect(result.missing).toEqual([]);
    expect(result.greeted).toBeGreaterThanOrEqual(100);
    expect(result.connected).toBeGreaterThanOrEqual(result.greeted);
    expect(result.differentRepeats).toBe(0);
    expect(result.inOrder).toBe(true);
  });
});
