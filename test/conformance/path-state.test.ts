import { describe, expect, it } from 'vitest';
import type { Direction } from '../../src/protocol/tunnel/leg.ts';
import type { ConnectionStats } from '../../src/quic/connection-report.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { FaultyWorld } from '../support/network/faulty-world.ts';
import { numberedDatagram } from '../support/network/numbered-datagram.ts';
import { until } from '../support/until.ts';

describe.each(await builtEngines())('the paths of a tunnel’s legs on a relay over %s', (engine) => {
  it('T4 show which leg is the bad one', async () => {
    const faults = { delayMs: 40, lossRate: 0.05 };
    await using world = await FaultyWorld.start({ engine, protocol: 'udp', faults });
    let number = 0;
    await until(() => {
      world.ingress.sendDatagram(world.tunnelId, numberedDatagram(number, 1000));
      world.egress.sendDatagram(world.tunnelId, numberedDatagram(number, 1000));
      number += 1;
      return number > 400;
    });
    const near = pathOf(world, 'ingress');
    const far = pathOf(world, 'egress');
    expect(near.rttMs ?? Infinity).toBeLessThan(far.rttMs ?? 0);
    // Of 80. quiche dates packets by its pacer, which may be ahead (docs/operations.md).
    expect(far.rttMs).toBeGreaterThanOrEqual(engine === 'quiche' ? 50 : 75);
    expect(far.rttMs).toBeLessThan(1000);
    expect(far.packetsLost).toBeGreaterThan(near.packetsLost ?? 0);
    for (const path of [near, far]) {
      expect(path.congestionWindow).toBeGreaterThan(0);
      expect(path.pathMtu).toBeGreaterThanOrEqual(1200);
      expect(path.queuedDatagrams).toBeGreaterThanOrEqual(0);
    }
  });
});

function pathOf(world: FaultyWorld, direction: Direction): ConnectionStats {
  const leg = world.bed.relay.report.tunnel(world.tunnelId)?.[direction].leg;
  if (leg === null || leg === undefined) throw new Error(`no ${direction} leg`);
  return leg.edge.path;
}
