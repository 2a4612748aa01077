import { describe, expect, it } from 'vitest';
import { explainAtRelay } from '../../../../src/cli/why/explain-relay.ts';
import { tunnelDownReason } from '../../../../src/protocol/tunnel/tunnel-down-reason.ts';
import type { RelayTunnelReport, TunnelFacts } from '../../../../src/relay/admin/relay-schemas.ts';
import { readPage } from '../../../support/markdown.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../../../support/samples/sample-relay.ts';

const id = tunnelNumber(3);
const now = '2026-04-02T12:10:00.000Z';

function factsOf(tunnel: RelayTunnelReport | null, changes: Partial<TunnelFacts> = {}): TunnelFacts {
  return { ...new SampleRelay().facts(id), at: now, tunnel, ...changes };
}

/** A healthy tunnel, changed on its ingress leg's path and on what its egress leg sent. */
function tunnelWith(
  path: Partial<NonNullable<RelayTunnelReport['ingress']['leg']>['path']>,
  sent: Partial<RelayTunnelReport['egress']['sent']> = {},
): RelayTunnelReport {
  const healthy = sampleTunnel(id);
  const { ingress, egress } = healthy;
  if (ingress.leg === null) throw new Error('the sample has both legs');
  return {
    ...healthy,
    ingress: { sent: { ...ingress.sent, drops: {} }, leg: { ...ingress.leg, path: { ...ingress.leg.path, ...path } } },
    egress: { ...egress, sent: { ...egress.sent, drops: {}, ...sent } },
  };
}

function lines(before: TunnelFacts, after: TunnelFacts = before): string[] {
  return explainAtRelay(before, after).map(
    ({ level, text, remedy }) => `${level}: ${text}${remedy === null ? '' : ` → ${remedy}`}`,
  );
}

const leaf = { details: {}, severity: 'warning' } as const;

describe('why a tunnel is as it is, at its relay', () => {
  it('reports that it is not authorised', () => {
    const text = lines(factsOf(null, { authorisation: 'unknown' })).join('\n');
    expect(text).toContain('problem: The tunnel is not authorised on this relay: nobody may bind it.');
    expect(text).toContain("list the tunnel under tunnels in the relay's config");
    expect(lines(factsOf(null, { authorisation: 'unknown', require_bind_auth: false })).join()).not.toContain(
      'authorised',
    );
  });

  it('reports that it is revoked', () => {
    expect(lines(factsOf(null, { authorisation: 'revoked' }))[0]).toContain('The tunnel is revoked');
  });

  it('reports which leg is missing, since when, and how it went', () => {
    const tunnel = sampleTunnel(id, { status: 'waiting_egress', status_since: '2026-04-02T12:07:00.000Z' });
    const { sent } = tunnel.egress;
    const down = {
      ...leaf,
      at: '2026-04-02T12:07:00.000Z',
      kind: 'tunnel-down',
      message: 'Tunnel down: edge disconnected',
    };
    const facts = factsOf(
      { ...tunnel, egress: { leg: null, sent } },
      { events: [{ ...down, details: { direction: 'egress' } }] },
    );
    expect(lines(facts)[0]).toBe(
      'problem: The egress leg has been missing for 3 minutes, while the ingress edge waits ' +
        '(last: Tunnel down: edge disconnected, 12:07:00 UTC, 3 minutes ago). → start the egress edge; if it runs, ' +
        'adit why there says what keeps it from the relay',
    );
  });

  it('reports that an address has all its connections, while a leg is missing and not for long', () => {
    const refused = {
      ...leaf,
      at: '2026-04-02T12:09:00.000Z',
      kind: 'per-ip-cap-exceeded',
      message: 'Connection rejected: per-IP cap exceeded (64 active from 192.0.2.9)',
      details: { remote_ip: '192.0.2.9', active_connections: 64, cap: 64 },
    };
    const words =
      'problem: Connections from 192.0.2.9 are refused: it has 64 already, which is max_connections_per_ip (12:09:00 UTC, ' +
      '1 minute ago). An edge of this tunnel may be behind that address. → raise max_connections_per_ip in the ' +
      "relay's config: one for each tunnel of each edge there";
    const other_events = [refused];
    expect(lines(factsOf(null, { other_events }))[0]).toBe(words);
    const waiting = sampleTunnel(id, { status: 'waiting_egress' });
    const half = { ...waiting, egress: { leg: null, sent: waiting.egress.sent } };
    expect(lines(factsOf(half, { other_events }))[0]).toBe(words);
    expect(lines(factsOf(sampleTunnel(id), { other_events })).join()).not.toContain('max_connections_per_ip');
    const longAgo = [{ ...refused, at: '2026-04-02T11:00:00.000Z' }];
    expect(lines(factsOf(null, { other_events: longAgo })).join()).not.toContain('max_connections_per_ip');
  });

  it.each(Object.values(tunnelDownReason))('has a remedy for the refusal "%s"', (reason) => {
    const refusal = {
      at: '2026-04-02T12:09:30.000Z',
      direction: 'egress',
      reason,
      edge_id: 'studio',
      remote_addr: '203.0.113.9:50000',
    } as const;
    const [line] = lines(factsOf(sampleTunnel(id), { refusals: [refusal] }));
    expect(line).toContain(
      `The egress edge (studio, 203.0.113.9:50000) was refused: ${reason} (12:09:30 UTC, 30 seconds ago). → `,
    );
    expect(line).not.toContain("look at the relay's log");
  });

  it('reports that versions differ, of a leg or of a refused edge', () => {
    const tunnel = sampleTunnel(id);
    if (tunnel.egress.leg === null) throw new Error('the sample has both legs');
    const old = { ...tunnel, egress: { ...tunnel.egress, leg: { ...tunnel.egress.leg, protocol_version: 1 } } };
    expect(lines(factsOf(old)).join('\n')).toContain('note: Version mismatch: the egress edge speaks version 1');
    const message = 'Protocol version mismatch (edge=9, relay=2)';
    const event = { ...leaf, at: now, kind: 'version-mismatch', message, details: { remote_addr: '198.51.100.77:1' } };
    expect(lines(factsOf(null, { other_events: [event] })).join('\n')).toContain(
      'Protocol version mismatch (edge=9, relay=2) with 198.51.100.77:1',
    );
  });

  it('reports which leg is losing packets, by what happened just now', () => {
    const before = factsOf(tunnelWith({ packets_sent: 100_000, packets_lost: 0 }));
    const after = factsOf(tunnelWith({ packets_sent: 101_000, packets_lost: 42 }));
    const text = lines(before, after).join('\n');
    expect(text).toContain('problem: The ingress leg (camera, 198.51.100.4:40000) is losing packets: 4.2 %');
    expect(text).not.toContain('The egress leg (studio');
  });

  it('reports what README.md shows', () => {
    const since = { status_since: '2026-04-02T09:00:00.000Z' };
    const before = { ...tunnelWith({ packets_sent: 1000, packets_lost: 0 }), ...since };
    const after = { ...tunnelWith({ packets_sent: 2000, packets_lost: 57 }, { datagram_bytes_in: 200_000 }), ...since };
    const marks = { problem: '✗', note: '·', good: '✓' };
    const words = explainAtRelay(factsOf(before), factsOf(after)).map(
      ({ level, text, remedy }) => `${marks[level]} ${text}\n${remedy === null ? '' : `  → ${remedy}\n`}`,
    );
    const shown = words.join('').replace('camera, 198.51.100.4:40000', 'studio, 203.0.113.9:50000');
    expect(readPage('README.md')).toContain(`\`\`\`text\n${shown}\`\`\`\n`);
  });

  it('takes the whole connection for the loss when little was sent just now, and some of it was lost', () => {
    const before = factsOf(tunnelWith({ packets_sent: 950, packets_lost: 97 }));
    const after = factsOf(tunnelWith({ packets_sent: 1000, packets_lost: 100 }));
    expect(lines(before, after).join('\n')).toContain('is losing packets: 10.0 %');
    expect(lines(factsOf(tunnelWith({ packets_sent: 20, packets_lost: 10 }))).join('\n')).not.toContain('lost packets');
  });

  it('only notes a loss of which nothing shows just now', () => {
    const text = lines(factsOf(tunnelWith({ packets_sent: 1000, packets_lost: 100 }))).join('\n');
    expect(text).not.toContain('is losing packets');
    expect(text).toContain(
      'note: The ingress leg (camera, 198.51.100.4:40000) has lost packets earlier: 10.0 % of all that was sent to it, ' +
        'and none just now.',
    );
  });

  it('reports which leg is the slow one', () => {
    const text = lines(factsOf(tunnelWith({ rtt_ms: 480, min_rtt_ms: 20 }))).join('\n');
    expect(text).toContain('The ingress leg (camera, 198.51.100.4:40000) is the slow one');
    expect(text).toContain('(round trip 480 ms, at best 20 ms)');
    const far = lines(factsOf(tunnelWith({ rtt_ms: 210, min_rtt_ms: 200 }))).join('\n');
    expect(far).toContain(
      'note: The ingress leg (camera, 198.51.100.4:40000) is far away: a round trip to it takes 210 ms',
    );
  });

  it('reports what is dropped just now, why, and that the MTU is too small', () => {
    const path = { max_datagram_size: 1216, path_mtu: 1280 };
    const before = factsOf(tunnelWith(path, { drops: { too_large: 100 } }));
    const after = factsOf(tunnelWith(path, { drops: { too_large: 150 } }));
    expect(lines(before, after)).toContain(
      'problem: 50 datagrams from the egress edge were dropped just now (150 in all, too_large): they do not fit a packet ' +
        'to the ingress edge: at most 1172 bytes of payload fit (path MTU 1280). → send smaller datagrams (for SRT and RTP: a ' +
        'smaller payload size), or mend the path MTU at that end',
    );
    expect(lines(after).join('\n')).toContain(
      'note: 150 datagrams from the egress edge were dropped earlier (too_large)',
    );
  });

  it.each(['no_peer', 'queue_full', 'expired', 'wrong_protocol', 'closing', 'congestion'])(
    'has words for the drop reason %s',
    (reason) => {
      const [before, after] = [tunnelWith({}), tunnelWith({}, { drops: { [reason]: 7 } })];
      const text = lines(factsOf(before), factsOf(after)).join('\n');
      expect(text).toContain(`7 datagrams from the egress edge were dropped just now (7 in all, ${reason}): `);
      expect(text).not.toContain('docs/operations.md');
    },
  );

  it('reports that all is well, and which edge sends', () => {
    const before = factsOf(tunnelWith({ packets_lost: 0 }));
    const moved = tunnelWith({ packets_lost: 0 }, { datagram_bytes_in: 200_000 });
    expect(lines(before)).toEqual([
      'note: Neither edge is sending anything now. → look at what feeds the edges, or run adit why there',
      'good: Both legs are there, for 10 minutes.',
    ]);
    expect(lines(before, factsOf(moved))).toContain('note: Only the egress edge is sending now.');
  });

  it('reports that a leg has gone to another edge lately, which two edges for one side look like', () => {
    const replaced = (edgeId: string, at: string) => ({
      ...leaf,
      at,
      kind: 'leg-replaced',
      message: 'Tunnel leg replaced by a new connection',
      details: { direction: 'ingress', old_edge_id: 'camera', new_edge_id: edgeId },
    });
    const text = (edgeId: string, at: string): string =>
      lines(factsOf(sampleTunnel(id), { events: [replaced(edgeId, at)] })).join('\n');
    expect(text('double', '2026-04-02T12:09:30.000Z')).toContain(
      'note: The ingress leg went from camera to double (12:09:30 UTC, 30 seconds ago). → if that was not meant',
    );
    expect(text('camera', '2026-04-02T12:09:30.000Z')).not.toContain('went from');
    expect(text('double', '2026-04-02T11:09:30.000Z')).not.toContain('went from');
  });

  it('reports that the path is slow where the engine does not know why', () => {
    expect(lines(factsOf(tunnelWith({ rtt_ms: 480, min_rtt_ms: null }))).join('\n')).toContain(
      'note: The ingress leg (camera, 198.51.100.4:40000) is slow: a round trip to it takes 480 ms. → if it is that',
    );
  });

  it('reports that the relay takes nothing new', () => {
    const [line] = lines(factsOf(null, { not_ready_reasons: ['shutting down'] }));
    expect(line).toContain('The relay takes no new tunnels: shutting down.');
  });

  it('forgets a refusal: a problem while the edge tries, then a note, gone after an hour', () => {
    const refusal = {
      direction: 'egress',
      reason: 'bind authentication failed',
      edge_id: 'studio',
      remote_addr: '203.0.113.9:50000',
    } as const;
    const told = (at: string): string => lines(factsOf(tunnelWith({}), { refusals: [{ ...refusal, at }] })).join('\n');
    expect(told('2026-04-02T12:08:00.000Z')).toContain(
      'problem: The egress edge (studio, 203.0.113.9:50000) was refused',
    );
    expect(told('2026-04-02T12:00:00.000Z')).toMatch(
      /note: The egress edge .* was refused: .* It has not tried since\./,
    );
    expect(told('2026-04-02T11:00:00.000Z')).not.toContain('was refused');
  });

  const reached = { quic_addrs: ['192.0.2.1:4433'], uptime_secs: 7200, packets: 0, handshakes: 0, connections: 0 };

  it.each([
    [reached, 'No UDP packet has reached this relay at 192.0.2.1:4433 since it started, 2 hours ago'],
    [{ ...reached, packets: 4 }, '4 UDP packets came to 192.0.2.1:4433 since it started, 2 hours ago, and none began'],
    [
      { ...reached, packets: 40, handshakes: 7 },
      '7 connections were begun since it started, 2 hours ago, and none was',
    ],
    [{ ...reached, packets: 40, handshakes: 7, connections: 1 }, 'No edge holds a leg of it. → look at both edges'],
  ])('tells a relay that nobody reaches from one that edges have left: %o', (counts, words) => {
    expect(lines(factsOf(null, { reached: counts }))[0]).toContain(`problem: ${words}`);
  });

  it('reports that two edges run one and the same file', () => {
    const tunnel = sampleTunnel(id, { status: 'waiting_egress', status_since: '2026-04-02T12:07:00.000Z' });
    const alone = { ...tunnel, egress: { ...tunnel.egress, leg: null } };
    const refusal = {
      at: '2026-04-02T12:09:58.000Z',
      direction: 'ingress',
      reason: 'leg held by a live edge',
      edge_id: 'studio',
      remote_addr: '203.0.113.9:50000',
    } as const;
    const words = 'Two edges claim the ingress side, and none the egress side: one of them runs the other one’s file.';
    const [first, ...others] = lines(factsOf(alone, { refusals: [refusal] }));
    expect(first).toBe(`problem: ${words} → give one of the two the file whose direction is egress`);
    // Its remedy would be to stop one of the two.
    expect(others.join('\n')).not.toContain('was refused');
    const details = { direction: 'ingress', old_edge_id: 'studio', new_edge_id: 'camera' };
    const replaced = { ...leaf, at: '2026-04-02T12:09:00.000Z', kind: 'leg-replaced', message: 'x', details };
    expect(lines(factsOf(alone, { events: [replaced] })).join('\n')).toContain(words);
    expect(lines(factsOf(sampleTunnel(id), { events: [replaced] })).join('\n')).not.toContain(words);
    expect(lines(factsOf(alone)).join('\n')).not.toContain(words);
  });

  it('names itself before the network when it is late', () => {
    const slow = tunnelWith({ rtt_ms: 400, min_rtt_ms: 20 });
    const stall = 'the event loop stood still for 5.0 s within the last 20 s';
    const [first, ...others] = lines(factsOf(slow, { stall, loop_lag_ms: 5000 }));
    expect(first).toContain(`problem: This machine does not keep up: ${stall}.`);
    expect(others.filter((line) => line.startsWith('problem'))).toEqual([]);
    expect(others.join('\n')).toMatch(/note: The ingress leg .* This may come from the machine alone\./);
  });
});
