import { expect, test } from 'vitest';
import { parseEdgeConfig, type EdgeConfig } from '../../../src/edge/config/edge-config.ts';
import { reloadEdge } from '../../../src/edge/edge-reload.ts';

function configOf(content: object): EdgeConfig {
  const parsed = parseEdgeConfig(content, { directory: '/etc/adit', hostname: 'studio-1' });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

/** An edge without tunnels and flows. */
const edge = {
  tunnels: () => [],
  putTunnels: () => Promise.resolve([]),
  flows: { list: () => [] },
} as unknown as Parameters<typeof reloadEdge>[0];

const manager = { enabled: true, urls: ['wss://m:8443/ws/node'], cert_fingerprint: 'ab'.repeat(32) };

test('a manager that is gone from the file needs a restart, and keeps its pins until then', async () => {
  const { applied, needsRestart } = await reloadEdge(edge, configOf({ manager }), configOf({}));
  expect(applied).toEqual([]);
  expect(needsRestart).toEqual(['manager']);
});

test('other pins of the same manager are in force at once', async () => {
  const other = { ...manager, cert_fingerprint: 'cd'.repeat(32) };
  const { applied, needsRestart } = await reloadEdge(edge, configOf({ manager }), configOf({ manager: other }));
  expect(applied).toEqual(['manager.cert_fingerprint']);
  expect(needsRestart).toEqual([]);
});
