import { describe, expect, it } from 'vitest';
import { TunnelHistory } from '../../../../src/relay/admin/tunnel-history.ts';
import { EventHub } from '../../../../src/relay/events/event-hub.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { tunnelNumber } from '../../../support/sample-relay.ts';

const tunnelId = tunnelNumber(0xabc);
const other = tunnelNumber(1);

function historyOf(settings = { maxTunnels: 2, eventsPerTunnel: 2, connectionEvents: 2 }) {
  const clock = new ManualClock(1_775_131_200_000);
  const hub = new EventHub(clock, { maxPerWindow: 10, windowMs: 1000, maxSources: 10 });
  const history = new TunnelHistory(settings);
  hub.subscribe(history.record);
  return { clock, hub, history };
}

describe('the history of tunnels', () => {
  it('keeps the latest events of each tunnel, with their time and words', () => {
    const { clock, hub, history } = historyOf();
    hub.emit({ kind: 'tunnel-waiting', tunnelId, direction: 'ingress' });
    hub.emit({ kind: 'tunnel-waiting', tunnelId: other, direction: 'ingress' });
    clock.advance(1000);
    hub.emit({ kind: 'tunnel-unbound', tunnelId, direction: 'ingress' });
    hub.emit({ kind: 'tunnel-waiting', tunnelId, direction: 'egress' });
    expect(history.ofTunnel(tunnelId)).toEqual([
      {
        at: '2026-04-02T12:00:01.000Z',
        kind: 'tunnel-unbound',
        severity: 'info',
        message: 'Tunnel unbound by edge',
        details: { direction: 'ingress' },
      },
      expect.objectContaining({ kind: 'tunnel-waiting', details: { direction: 'egress' } }),
    ]);
    expect(history.ofTunnel(other)).toHaveLength(1);
  });

  it('forgets the tunnels that were quiet the longest', () => {
    const { hub, history } = historyOf();
    const [a, b, c] = [tunnelNumber(10), tunnelNumber(11), tunnelNumber(12)];
    for (const tunnel of [a, b, a, c]) hub.emit({ kind: 'tunnel-waiting', tunnelId: tunnel, direction: 'egress' });
    expect([a, b, c].map((tunnel) => history.ofTunnel(tunnel).length)).toEqual([2, 0, 1]);
  });

  it('keeps what happens to connections before they name a tunnel', () => {
    const { hub, history } = historyOf();
    hub.emit({ kind: 'edge-connected', remoteAddr: '198.51.100.4:1' });
    for (const edgeVersion of [3, 4, 5]) {
      hub.emit({ kind: 'version-mismatch', edgeVersion, relayVersion: 2, remoteAddr: '198.51.100.4:1' });
    }
    expect(history.ofConnections().map(({ details }) => details['edge_version'])).toEqual([4, 5]);
  });
});
