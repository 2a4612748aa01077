import { describe, expect, it } from 'vitest';
import type { EdgeTunnelReport } from '../../src/edge/admin/edge-schemas.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { MediaWorld } from '../support/programs/media-world.ts';
import { pause } from '../support/pause.ts';
import { SeededRandom } from '../support/fakes/seeded-random.ts';
import type { TestEdge } from '../support/programs/test-edge.ts';
import { until } from '../support/until.ts';

function reportOf({ edge }: TestEdge): EdgeTunnelReport {
  const [report] = edge.tunnelReports();
  if (report === undefined) throw new Error('the edge has no tunnel');
  return report;
}

function sum(drops: Readonly<Record<string, number>>): number {
  return Object.values(drops).reduce((total, count) => total + count, 0);
}

/** What came in and went neither out nor into a drop; 0 once nothing waits. */
function missing(edge: TestEdge, way: 'outgoing' | 'incoming'): number {
  const { datagrams_in: came, datagrams_out: left, drops } = reportOf(edge)[way];
  return came - left - sum(drops);
}

/** Sends in bursts of chance; some datagrams are too large for any path. */
async function sendAtRandom(world: MediaWorld, random: SeededRandom, count: number): Promise<void> {
  for (let sent = 0; sent < count;) {
    const burst = Math.min(count - sent, 1 + Math.floor(random.float() * 12));
    for (let n = 0; n < burst; n++) world.send(Buffer.alloc(random.float() < 0.05 ? 1500 : 1332, sent));
    sent += burst;
    await pause(random.float() * 8);
  }
}

describe.each(await builtEngines())('the ledger of an edge over %s', (engineName) => {
  it.each([1, 2, 3])(
    'S5 at an edge, what local programs sent is what left plus what was dropped, by reason (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      // A link that carries a third of the media, and then nothing.
      const faults = { bytesPerSecond: 150_000, queueBytes: 20_000, delayMs: 10, lossRate: 0.02 };
      await using world = await MediaWorld.open(engineName, faults, seed);
      const { egress, ingress, network } = world;
      await sendAtRandom(world, random, 600);
      await until(() => missing(egress, 'outgoing') === 0, { what: 'nothing waits any more' });
      expect(reportOf(egress).outgoing.datagrams_in).toBe(600);
      const { expired = 0, too_large = 0 } = reportOf(egress).outgoing.drops;
      expect(too_large).toBeGreaterThan(0);
      expect(expired).toBeGreaterThan(0);
      await until(() => egress.messages().includes('Datagrams dropped: expired'));
      network.partition();
      await sendAtRandom(world, random, 200);
      await until(() => egress.tunnel().state !== 'ready');
      await sendAtRandom(world, random, 50);
      await until(() => reportOf(egress).outgoing.datagrams_in === 850 && missing(egress, 'outgoing') === 0);
      expect(reportOf(egress).outgoing.drops['no_relay']).toBeGreaterThan(0);
      expect(missing(ingress, 'incoming')).toBe(0);
    },
  );
});
