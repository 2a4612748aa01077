import { costMeasurement, datagramBytes, runFlow } from '../datagram-load.ts';
import { Stage } from '../stage.ts';
import { isTunnelRelay, type Figure } from './figure.ts';

export const tunnelCounts = [1, 10, 100, 1000] as const;
/** Low enough that no engine is at its limit at any number of tunnels. */
const ratePerSec = 5000;
const seconds = 2;
const warmUpSeconds = 0.7;
const group = 'growth';

/** The same datagrams spread over more and more tunnels: a relay that scales costs the same for each. */
export const growth: Figure = {
  name: 'growth',
  rows: tunnelCounts.map((count) => ({ id: growthRow(count), unit: 'µs' })),
  appliesTo: isTunnelRelay,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    let open = 0;
    for (const count of tunnelCounts) {
      await stage.openTunnels({ group, count: count - open, protocol: 'udp' });
      open = count;
      await stage.awaitSize(group, datagramBytes, count);
      await runFlow(stage, { group, ratePerSec, seconds: warmUpSeconds });
      const outcome = await runFlow(stage, { group, ratePerSec, seconds });
      yield costMeasurement(growthRow(count), outcome);
    }
  },
};

export function growthRow(tunnels: number): string {
  return `udp_cpu_us 5k/s over ${tunnels} tunnel${tunnels === 1 ? '' : 's'}`;
}
