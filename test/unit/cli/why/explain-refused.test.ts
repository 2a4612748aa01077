import { describe, expect, it } from 'vitest';
import { refusedFindings } from '../../../../src/cli/why/explain-refused.ts';
import { sampleTunnel, tunnelNumber } from '../../../support/samples/sample-relay.ts';

const tcp = sampleTunnel(tunnelNumber(1), { protocol: 'tcp' });
const none = { tunnel: {}, relay: {} };

describe('TCP connections that a relay refused', () => {
  it('are a problem while it happens, which names the setting, and a note afterwards', () => {
    const full = { tunnel: { edge_full: 4 }, relay: { edge_full: 9, relay_full: 2 } };
    const now = refusedFindings(tcp, none, full);
    expect(now.map(({ level }) => level)).toEqual(['problem', 'problem']);
    expect(now[0]?.text).toContain('4 TCP connections were refused just now (4 in all, edge_full)');
    expect(now[0]?.remedy).toContain('max_connections_per_tunnel');
    expect(now[1]?.remedy).toContain('limits.max_open_streams');
    const later = refusedFindings(tcp, full, full);
    expect(later.map(({ level, text }) => [level, text.slice(0, 43)])).toEqual([
      ['note', '4 TCP connections were refused earlier (edg'],
      ['note', '2 TCP connections were refused earlier (rel'],
    ]);
  });

  it('are nothing that concerns a tunnel of datagrams', () => {
    expect(refusedFindings({ ...tcp, protocol: 'udp' }, none, { tunnel: {}, relay: { relay_full: 2 } })).toEqual([]);
  });
});
