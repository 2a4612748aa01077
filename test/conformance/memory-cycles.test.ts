import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';
import { comeAndGo, roomyLimits } from '../support/load/cycles.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';
import { until } from '../support/until.ts';

describe.each(await builtEngines())('a relay over %s whose edges come and go', (engine) => {
  it('A6 2000 times connecting, binding and leaving keep its memory within 20 % (50 000 in the soak)', async () => {
    await using relay = await RelayProcess.start({ engine, config: roomyLimits });
    const { address } = relay;
    await comeAndGo({ address, cycles: 1000, atOnce: 20, run: '00000001' });
    const before = await relay.snapshot();
    await comeAndGo({ address, cycles: 1000, atOnce: 20, run: '00000002' });
    const after = await until(async () => {
      const snapshot = await relay.snapshot();
      return snapshot.stats.connected_edges === 0 && snapshot;
    });
    expect(after.stats).toMatchObject({ connections_total: 2000, total_tunnels: 0 });
    expect(after.rssBytes / before.rssBytes).toBeLessThan(1.2);
    process.stdout.write(
      `${engine} A6: RSS ${mib(before.rssBytes)} MiB after 1000 cycles, ${mib(after.rssBytes)} after 2000\n`,
    );
  });
});

function mib(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
