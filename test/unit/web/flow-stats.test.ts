import { describe, expect, it } from 'vitest';
import { readFlowStats } from '../../../web/src/data/flow-stats.ts';

describe('the stats of a flow', () => {
  it('are read from those of its edge', () => {
    const input = { state: 'connected', bitrate_bps: 5e6 };
    const outputs = [{ output_id: 'tv', output_type: 'udp', state: 'sending', bitrate_bps: 4e6 }];
    const flow = { flow_id: 'main', state: 'Running', health: 'Healthy', problem: null, input, outputs };
    expect(readFlowStats({ flows: [flow] }, 'main')).toEqual({
      ...{ health: 'Healthy', running: true, problem: null, inputState: 'connected', bitsPerSecond: 5e6 },
      continuityErrors: null,
      outputs: [{ id: 'tv', type: 'udp', state: 'sending', bitsPerSecond: 4e6 }],
    });
    expect(readFlowStats({ flows: [flow] }, 'other')).toBeNull();
  });

  it.each([null, {}, { flows: 1 }, { flows: [null, 7, 'x', {}] }])('that are none, %j, are none', (stats) => {
    expect(readFlowStats(stats, 'main')).toBeNull();
  });

  it('of a node that sends anything break nothing', () => {
    const wild = { flow_id: 'main', health: 'Great', input: 3, outputs: [null, { bitrate_bps: 'x' }], tr101290: [] };
    expect(readFlowStats({ flows: [wild] }, 'main')).toMatchObject({
      ...{ health: 'Error', running: false, bitsPerSecond: 0, continuityErrors: null },
      outputs: [{ id: '', bitsPerSecond: 0 }],
    });
  });
});
