import { describe, expect, test } from 'vitest';
import type { Fleet, FleetListener } from '../../../../src/manager/fleet.ts';
import { FlowHistory } from '../../../../src/manager/live/flow-history.ts';
import { StatsHistory } from '../../../../src/manager/live/stats-history.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function emptyHistory() {
  const clock = new ManualClock();
  let listener: FleetListener = {};
  let payload: unknown = null;
  const fleet = {
    subscribe: (given: FleetListener) => {
      listener = given;
      return () => undefined;
    },
    nodes: { stats: () => Promise.resolve({ at: clock.now(), payload }) },
  } as unknown as Fleet;
  const flows = new FlowHistory(clock);
  const history = new StatsHistory(fleet, clock, flows);
  history.start();
  const report = async (id: string, frame: unknown, thenMs: number): Promise<void> => {
    payload = frame;
    listener.statsReceived?.(id);
    await clock.advanceAsync(thenMs);
  };
  return { history, flows, report, clock };
}

const relay = (total_bytes_forwarded: number) => ({ active_tunnels: 2, connected_edges: 3, total_bytes_forwarded });

describe('the past of a node', () => {
  test('has a point each five seconds, with the rate between two totals', async () => {
    const { history, report } = emptyHistory();
    for (let second = 0; second <= 10; second++) await report('relay', relay(second * 1_000), 1_000);
    expect(history.of('relay')).toMatchObject([
      { bytes_per_sec: null, tunnels: 2, peers: 3 },
      { bytes_per_sec: 1_000 },
      { bytes_per_sec: 1_000 },
    ]);
  });

  test('has no rate after a relay that began to count anew', async () => {
    const { history, report } = emptyHistory();
    for (const total of [1_000, 2_000, 500]) await report('relay', relay(total), 5_000);
    expect(history.of('relay').map(({ bytes_per_sec: rate }) => rate)).toEqual([null, 200, null]);
  });

  test('is forgotten ten minutes after its last frame, with its flows', async () => {
    const { history, flows, report, clock } = emptyHistory();
    await report('edge', { flows: [{ flow_id: 'main', health: 'Healthy' }] }, 0);
    await clock.advanceAsync(590_000);
    expect([history.of('edge').length, flows.of('edge', 'main').length]).toEqual([1, 1]);
    await clock.advanceAsync(120_000);
    expect([history.of('edge').length, flows.of('edge', 'main').length]).toEqual([0, 0]);
  });
});
