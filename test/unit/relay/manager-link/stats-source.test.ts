import { describe, expect, it } from 'vitest';
import { StatsSource } from '../../../../src/relay/manager-link/stats-source.ts';
import { settle } from '../../../support/fakes/manual-clock.ts';
import { sampleTotals, sampleTunnelInfo } from '../../../support/samples/sample-stats.ts';

describe('gathering stats', () => {
  it('leaves turns of the event loop to others, and has everything in the end', async () => {
    let asked = 0;
    const edges = [{ edge_id: 'e', remote_addr: '198.51.100.1:1000' }];
    const source = new StatsSource({
      *eachTunnel() {
        for (; asked < 500; asked++) yield sampleTunnelInfo(asked, 1);
      },
      edges: () => edges,
      totals: () => sampleTotals,
    });
    const gathered = source.gather();
    expect(asked).toBeLessThan(100);
    await settle();
    expect(asked).toBeLessThan(200);
    const stats = await gathered;
    expect(stats.tunnels).toHaveLength(500);
    expect(stats).toMatchObject({ edges, ...sampleTotals });
    expect(stats.truncated).toBeUndefined();
  });
});
