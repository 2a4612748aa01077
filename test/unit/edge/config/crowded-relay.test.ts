import { expect, it } from 'vitest';
import { formatProblem } from '../../../../src/config/config-problem.ts';
import { parseEdgeConfig } from '../../../../src/edge/config/edge-config.ts';
import { tunnelNumber } from '../../../support/samples/sample-relay.ts';

const key = 'ab'.repeat(32);

function warnings(tunnels: number): string[] {
  const entries = Array.from({ length: tunnels }, (_, index) => ({
    id: tunnelNumber(index),
    name: `camera ${index}`,
    protocol: 'udp',
    direction: 'egress',
    local_addr: `127.0.0.1:${10_000 + index}`,
    relay_addrs: ['relay.example:4433'],
    relay_fingerprint: key,
    tunnel_encryption_key: key,
  }));
  const parsed = parseEdgeConfig({ tunnels: entries }, { directory: '/etc/adit', hostname: 'studio' });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.warnings.map(formatProblem);
}

it('warns of more tunnels to one relay than a relay takes connections of one address', () => {
  expect(warnings(64)).toEqual([]);
  expect(warnings(65)).toEqual([
    'tunnels has 65 tunnels to relay.example:4433, and a relay takes 64 connections of one address; ' +
      'raise max_connections_per_ip on that relay, beyond this',
  ]);
});
