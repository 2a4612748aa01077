import { describe, expect, it } from 'vitest';
import { EventHistory } from '../../../src/admin/event-history.ts';
import type { NodeEvent } from '../../../src/protocol/node/node-event.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { tunnelNumber } from '../../support/samples/sample-relay.ts';

const settings = { maxTunnels: 2, eventsPerTunnel: 2, otherEvents: 2 };
const [a, b, c] = [tunnelNumber(10), tunnelNumber(11), tunnelNumber(12)];

const mismatch: NodeEvent = {
  timestamp: '2026-04-02T12:00:00.000Z',
  severity: 'warning',
  category: 'edge',
  message: 'Protocol version mismatch (edge=1, relay=2)',
};

function eventOf(flowId: TunnelId, second = 0): NodeEvent {
  const timestamp = `2026-04-02T12:00:0${second}.000Z`;
  return { timestamp, severity: 'info', category: 'tunnel', message: 'Tunnel unbound by edge', flowId };
}

describe('the history of events', () => {
  it('keeps the latest few of each tunnel, with their time and words', () => {
    const history = new EventHistory(settings);
    history.add('tunnel-unbound', eventOf(a, 0));
    history.add('tunnel-unbound', eventOf(b, 1));
    history.add('tunnel-unbound', { ...eventOf(a, 2), details: { direction: 'ingress' } });
    history.add('tunnel-waiting', eventOf(a, 3));
    expect(history.ofTunnel(a)).toEqual([
      {
        at: '2026-04-02T12:00:02.000Z',
        kind: 'tunnel-unbound',
        severity: 'info',
        message: 'Tunnel unbound by edge',
        details: { direction: 'ingress' },
      },
      expect.objectContaining({ kind: 'tunnel-waiting', details: {} }),
    ]);
    expect(history.ofTunnel(b)).toHaveLength(1);
  });

  it('forgets the tunnels that were quiet the longest', () => {
    const history = new EventHistory(settings);
    for (const tunnel of [a, b, a, c]) history.add('tunnel-waiting', eventOf(tunnel));
    expect([a, b, c].map((tunnel) => history.ofTunnel(tunnel).length)).toEqual([2, 0, 1]);
  });

  it('keeps a few that are about no tunnel', () => {
    const history = new EventHistory(settings);
    for (const edgeVersion of [3, 4, 5]) {
      history.add('version-mismatch', { ...mismatch, details: { edge_version: edgeVersion } });
    }
    expect(history.others().map(({ details }) => details['edge_version'])).toEqual([4, 5]);
    expect(history.ofTunnel(a)).toEqual([]);
  });
});
