import { describe, expect, it } from 'vitest';
import { eventText, subjectOf } from '../../../../src/relay/events/event-text.ts';
import type { RelayEvent } from '../../../../src/relay/events/relay-event.ts';
import { messagePattern, writtenEvents } from '../../../support/event-messages.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';

const tunnelId = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');
const remoteAddr = '198.51.100.4:40000';
const a = { edgeId: 'a', remoteAddr };
const b = { edgeId: null, remoteAddr: '[2001:db8::1]:1' };

/** Event, category, severity, message and details, as the contract has them (docs/protocol/events.md). */
const texts: readonly (readonly [RelayEvent, string, string, string, object?])[] = [
  [
    { kind: 'edge-connected', remoteAddr },
    'edge',
    'info',
    'Edge connected from 198.51.100.4:40000',
    { remote_addr: remoteAddr },
  ],
  [
    { kind: 'edge-disconnected', remoteAddr, reason: 'idle' },
    'edge',
    'info',
    'Edge disconnected from 198.51.100.4:40000',
    { remote_addr: remoteAddr, reason: 'idle' },
  ],
  [
    { kind: 'edge-connection-failed', remoteAddr, reason: 'late' },
    'edge',
    'warning',
    'Edge connection failed: control stream error from 198.51.100.4:40000',
    { remote_addr: remoteAddr, reason: 'late' },
  ],
  [
    { kind: 'version-mismatch', remoteAddr, edgeVersion: 1, relayVersion: 2 },
    'edge',
    'warning',
    'Protocol version mismatch (edge=1, relay=2)',
    { edge_version: 1, relay_version: 2, remote_addr: remoteAddr },
  ],
  [
    { kind: 'per-ip-cap-exceeded', remoteAddr, remoteIp: '198.51.100.4', activeConnections: 64, cap: 64 },
    'edge',
    'warning',
    'Connection rejected: per-IP cap exceeded (64 active from 198.51.100.4)',
    {
      error_code: 'relay_dos_suspect',
      remote_addr: remoteAddr,
      remote_ip: '198.51.100.4',
      active_connections: 64,
      cap: 64,
    },
  ],
  [
    { kind: 'accept-failed', remoteIp: '198.51.100.4', error: 'no alpn', bindAddr: '0.0.0.0:4433' },
    'edge',
    'warning',
    'QUIC connection accept failed: no alpn',
    { error: 'no alpn', bind_addr: '0.0.0.0:4433' },
  ],
  [
    { kind: 'tunnel-active', tunnelId, ingress: a, egress: b },
    'tunnel',
    'info',
    'Tunnel active (both sides bound)',
    {
      ingress_edge_id: 'a',
      ingress_remote_addr: remoteAddr,
      egress_edge_id: null,
      egress_remote_addr: '[2001:db8::1]:1',
    },
  ],
  [
    { kind: 'tunnel-waiting', tunnelId, direction: 'egress' },
    'tunnel',
    'info',
    'Tunnel waiting: Egress side bound',
    { direction: 'egress' },
  ],
  [
    { kind: 'tunnel-unbound', tunnelId, direction: 'ingress' },
    'tunnel',
    'info',
    'Tunnel unbound by edge',
    { direction: 'ingress' },
  ],
  [
    { kind: 'tunnel-down', tunnelId, direction: 'ingress' },
    'tunnel',
    'warning',
    'Tunnel down: edge disconnected',
    { direction: 'ingress' },
  ],
  [
    { kind: 'tunnel-closed', tunnelId, cause: 'deleted by REST' },
    'tunnel',
    'info',
    'Tunnel closed: deleted by REST',
    { reason: 'deleted by REST' },
  ],
  [
    { kind: 'bind-rejected', tunnelId, direction: 'ingress', remoteAddr, reason: 'invalid-token' },
    'tunnel',
    'warning',
    'Tunnel bind rejected: invalid token',
    { remote_addr: remoteAddr, direction: 'ingress' },
  ],
  [
    { kind: 'bind-rejected', tunnelId, direction: 'ingress', remoteAddr, reason: 'not-authorised' },
    'tunnel',
    'warning',
    'Tunnel bind rejected: invalid token',
    { remote_addr: remoteAddr, direction: 'ingress', reason: 'not-authorised' },
  ],
  [
    { kind: 'bind-cap-exceeded', tunnelId, remoteAddr, activeBinds: 100, cap: 100 },
    'tunnel',
    'warning',
    'Tunnel bind rejected: per-connection cap exceeded',
    { error_code: 'relay_dos_suspect', remote_addr: remoteAddr, active_binds: 100, cap: 100 },
  ],
  [
    { kind: 'leg-replaced', tunnelId, direction: 'egress', oldEdge: a, newEdge: b },
    'tunnel',
    'warning',
    'Tunnel leg replaced by a new connection',
    {
      direction: 'egress',
      old_edge_id: 'a',
      old_remote_addr: remoteAddr,
      new_edge_id: null,
      new_remote_addr: '[2001:db8::1]:1',
    },
  ],
  [
    { kind: 'leg-held', tunnelId, direction: 'egress', remoteAddr, holder: a, reason: 'leg-held' },
    'tunnel',
    'warning',
    'Tunnel bind rejected: leg held by a live edge',
    { direction: 'egress', remote_addr: remoteAddr, holder_edge_id: 'a', holder_remote_addr: remoteAddr },
  ],
  [
    { kind: 'datagrams-dropped', tunnelId, reason: 'too_large', ingress: 1, egress: 2, windowSecs: 60 },
    'tunnel',
    'warning',
    'Datagrams dropped: too_large',
    { reason: 'too_large', count: 3, from_ingress: 1, from_egress: 2, window: 60 },
  ],
  [
    { kind: 'streams-refused', tunnelId, reason: 'edge_full', count: 3, windowSecs: 60 },
    'tunnel',
    'warning',
    'TCP connections refused: edge_full',
    { reason: 'edge_full', count: 3, window: 60 },
  ],
  [{ kind: 'manager-connected', url: 'wss://m/' }, 'manager', 'info', 'Connected to manager', { url: 'wss://m/' }],
  [
    { kind: 'manager-lost', url: 'wss://m/', error: null },
    'manager',
    'warning',
    'Manager connection lost, reconnecting',
    { url: 'wss://m/' },
  ],
  [
    { kind: 'manager-lost', url: 'wss://m/', error: 'reset' },
    'manager',
    'warning',
    'Manager connection lost, reconnecting: reset',
    { url: 'wss://m/' },
  ],
  [
    { kind: 'manager-auth-failed', url: 'wss://m/', reason: 'bad secret' },
    'manager',
    'critical',
    'Manager authentication failed: bad secret',
    { url: 'wss://m/' },
  ],
  [{ kind: 'secret-rotated' }, 'manager', 'info', 'Secret rotated successfully'],
  [
    { kind: 'credential-persistence-failed', error: 'disk full' },
    'manager',
    'warning',
    'Credential persistence failed: disk full',
  ],
];

describe('the words of events', () => {
  it('are all in this table', () => {
    const written = writtenEvents().filter(({ at }) => at.startsWith('src/relay/events/'));
    const missing = written.filter(({ message }) => !texts.some(([, , , text]) => messagePattern(message).test(text)));
    expect(missing).toEqual([]);
  });

  it.each(texts.map((text) => ({ text, name: text[3] })))('$name', ({ text }) => {
    const [event, category, severity, message, details] = text;
    expect(eventText(event)).toEqual({
      category,
      severity,
      message,
      ...('tunnelId' in event && { flowId: tunnelId }),
      ...(details !== undefined && { details }),
    });
  });
});

describe('the log line of an event', () => {
  it.each([
    [
      { kind: 'bind-rejected', tunnelId, direction: 'egress', remoteAddr, reason: 'invalid-token' },
      { tunnel_id: tunnelId, reason: 'invalid-token' },
    ],
    [
      { kind: 'bind-rejected', tunnelId, direction: 'egress', remoteAddr, reason: 'revoked' },
      { tunnel_id: tunnelId, reason: 'revoked' },
    ],
    [{ kind: 'accept-failed', remoteIp: '198.51.100.4', error: 'x', bindAddr: 'y' }, { remote_ip: '198.51.100.4' }],
    [{ kind: 'tunnel-waiting', tunnelId, direction: 'egress' }, { tunnel_id: tunnelId }],
  ] as const)('names what its constant message leaves out: %o', (event, fields) => {
    const report = { timestamp: '2026-04-02T12:00:00.000Z', ...eventText(event) };
    expect(subjectOf({ event, report })).toEqual(fields);
  });
});
