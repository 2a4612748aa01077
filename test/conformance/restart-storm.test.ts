import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';
import { storm } from '../support/load/storm.ts';

describe.each(await builtEngines())('a relay over %s that is killed under its edges', (engine) => {
  it('L6 has 100 edges paired again within 5 s and their back-off (2000 in the soak)', async () => {
    const { edges, pairedAfterMs, peakRssBytes } = await storm(engine, 50, 30_000);
    process.stdout.write(
      `${engine} L6: ${edges} edges paired ${Math.round(pairedAfterMs)} ms after the restart, peak RSS ${Math.round(peakRssBytes / 1_048_576)} MiB\n`,
    );
    // A lost connection pauses an edge for 1 s, and the first retry comes up to 2 s later.
    expect(pairedAfterMs).toBeLessThan(5000 + 3000);
  });
});
