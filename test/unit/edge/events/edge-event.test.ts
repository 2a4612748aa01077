import { describe, expect, it } from 'vitest';
import { edgeEventText, type EdgeEvent } from '../../../../src/edge/events/edge-event.ts';
import { sampleEdgeTunnel } from '../../../support/samples/sample-edge.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { vectorTunnel } from '../../../support/samples/vectors.ts';

const tunnel = { id: knownTunnelId(vectorTunnel.id), name: 'camera 1' };
const relayAddr = 'relay.example.com:4433';

const cases: readonly [EdgeEvent, severity: string, message: string, details?: object][] = [
  [{ kind: 'tunnel-started', tunnel, setup: sampleEdgeTunnel(tunnel.id) }, 'info', `Tunnel 'camera 1' started`],
  [{ kind: 'tunnel-stopped', tunnel }, 'info', `Tunnel 'camera 1' stopped`],
  [
    { kind: 'relay-connected', tunnel, relayAddr, peer: 'absent' },
    'info',
    'Tunnel connected to relay',
    { relay_addr: relayAddr, peer: 'absent' },
  ],
  [
    { kind: 'relay-disconnected', tunnel, relayAddr, reason: 'gone' },
    'warning',
    'Tunnel disconnected from relay: gone',
    { relay_addr: relayAddr, reason: 'gone' },
  ],
  [
    { kind: 'peer-disconnected', tunnel, relayAddr, reason: 'peer unbound' },
    'warning',
    'Tunnel peer disconnected: peer unbound',
    { relay_addr: relayAddr, reason: 'peer unbound' },
  ],
  [
    { kind: 'relay-connection-failed', tunnel, relayAddr, error: 'refused' },
    'warning',
    'Tunnel connection to relay failed: refused',
    { relay_addr: relayAddr, error: 'refused' },
  ],
  [
    { kind: 'bind-rejected', tunnel, relayAddr, reason: 'bind authentication failed' },
    'critical',
    'Tunnel bind rejected by relay: bind authentication failed',
    { relay_addr: relayAddr, reason: 'bind authentication failed' },
  ],
  [
    { kind: 'tunnel-failed', tunnel, error: 'address in use' },
    'critical',
    `Tunnel 'camera 1' failed: address in use`,
    { error: 'address in use' },
  ],
  [
    { kind: 'datagrams-dropped', tunnel, reason: 'too_large', count: 7, windowSecs: 60 },
    'warning',
    'Datagrams dropped: too_large',
    { reason: 'too_large', count: 7, window: 60 },
  ],
  [
    { kind: 'connections-refused', tunnel, reason: 'too_many', count: 60, windowSecs: 60 },
    'warning',
    'TCP connections refused: too_many',
    { reason: 'too_many', count: 60, window: 60 },
  ],
  [
    { kind: 'narrow-path', tunnel, pathMtu: 1392, payloadBytes: 1310 },
    'warning',
    'Narrow path to the relay: payloads of up to 1310 bytes fit',
    { path_mtu: 1392, payload_bytes: 1310 },
  ],
  [
    { kind: 'several-senders', tunnel, localAddr: '127.0.0.1:5000' },
    'warning',
    'Several programs send to 127.0.0.1:5000: answers go to the one that sent last',
    { local_addr: '127.0.0.1:5000' },
  ],
  [{ kind: 'manager-connected', url: 'wss://m/ws/node' }, 'info', 'Connected to manager', { url: 'wss://m/ws/node' }],
  [{ kind: 'configuration-updated' }, 'info', 'Configuration updated'],
  [
    { kind: 'configuration-not-persisted', error: 'disk full' },
    'warning',
    'Failed to persist configuration: disk full',
    { error: 'disk full' },
  ],
];

describe('the words of an edge event', () => {
  it.each(cases)('%j', (event, severity, message, details) => {
    const ofTunnel = 'tunnel' in event;
    expect(edgeEventText(event)).toEqual({
      severity,
      category: ofTunnel ? 'tunnel' : event.kind.startsWith('manager') ? 'manager' : 'config',
      message,
      ...(ofTunnel && { flowId: tunnel.id }),
      ...(details !== undefined && { details }),
    });
  });
});
