import { describe, expect, test } from 'vitest';
import { statsFigures } from '../../../../src/manager/live/stats-figures.ts';

describe('statsFigures', () => {
  test('reads a relay: its lifetime total and counts', () => {
    const frame = { total_bytes_forwarded: 1_000, active_tunnels: 3, connected_edges: 4, tunnels: [] };
    expect(statsFigures(frame)).toEqual({ bytes_per_sec: null, tunnels: 3, peers: 4, totalBytes: 1_000 });
  });

  test('reads an edge: the bit rates of its tunnels, and how many are ready', () => {
    const stats = { bitrate_in_bps: 800, bitrate_out_bps: 80 };
    const frame = {
      tunnels: [
        { state: 'ready', stats },
        { state: 'down', stats },
      ],
    };
    expect(statsFigures(frame)).toMatchObject({ bytes_per_sec: 220, tunnels: 1, peers: null });
  });

  test.each([null, 7, 'x', [], { tunnels: 'no' }, { active_tunnels: 'many', tunnels: [1, null] }])(
    'takes %j without figures',
    (frame) => {
      expect(statsFigures(frame)).toMatchObject({ bytes_per_sec: null, tunnels: null, peers: null });
    },
  );
});
