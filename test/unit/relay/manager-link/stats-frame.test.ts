import { describe, expect, it } from 'vitest';
import type { RelayStats } from '../../../../src/protocol/node/relay-telemetry.ts';
import { StatsFrame } from '../../../../src/relay/manager-link/stats-frame.ts';
import { sampleTotals, sampleTunnelInfo } from '../../../support/samples/sample-stats.ts';

const MiB = 1_048_576;

function stats(bytes: readonly number[], edges = 1): RelayStats {
  return {
    ...sampleTotals,
    tunnels: bytes.map((count, index) => sampleTunnelInfo(index, count)),
    edges: Array.from({ length: edges }, (_, index) => ({
      edge_id: `edge-${index}`,
      remote_addr: '198.51.100.1:1000',
    })),
  };
}

describe('a stats frame', () => {
  it('lists everything while it fits', () => {
    const small = stats(Array<number>(1_000).fill(1));
    expect(new StatsFrame().fit(small)).toBe(small);
    const many = stats(Array<number>(5_000).fill(1));
    expect(new StatsFrame().fit(many)).toBe(many);
  });

  it('that would be too large lists the tunnels that carried most since the last one, and reports it', () => {
    const frame = new StatsFrame();
    const before = Array.from({ length: 20_000 }, (_, index) => (index < 10_000 ? 1_000_000 : 0));
    frame.fit(stats(before));
    const fitted = frame.fit(stats(before.map((count, index) => (index === 19_999 ? 50 : count))));
    expect(fitted.truncated).toBe(true);
    expect(fitted.tunnels[0]?.tunnel_id).toBe('00000000-0000-4000-8000-000000019999');
    const size = JSON.stringify(fitted).length;
    expect(size).toBeLessThan(4 * MiB);
    expect(size).toBeGreaterThan(3 * MiB);
    expect(fitted.total_tunnels).toBe(sampleTotals.total_tunnels);
  });

  it('leaves room for tunnels when there are very many edges', () => {
    const fitted = new StatsFrame().fit(stats(Array<number>(5_000).fill(1), 100_000));
    expect(fitted.tunnels).toHaveLength(5_000);
    expect(fitted.edges.length).toBeGreaterThan(5_000);
    expect(JSON.stringify(fitted).length).toBeLessThan(4 * MiB);
  });
});
