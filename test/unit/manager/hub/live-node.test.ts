import { expect, test } from 'vitest';
import { LiveNode } from '../../../../src/manager/hub/live-node.ts';

test('reads a stats frame once for all that ask in one turn, and the next frame anew', () => {
  const facts = { id: 'n', name: 'n', kind: 'edge', session: 1, remoteAddr: '', connectedAt: 0 } as const;
  const channel = { bufferedBytes: 0, send: () => undefined, close: () => undefined };
  const node = new LiveNode({ ...facts, connectedAtMs: 0, expiresAt: null, issuedSecretId: null }, channel);
  const report = (tunnels: number, at: number) =>
    node.keepStats(Buffer.from(JSON.stringify({ payload: { tunnels } })), at);
  expect(node.stats).toBeNull();
  report(1, 1_000);
  const first = node.stats;
  expect(first).toEqual({ at: 1_000, payload: { tunnels: 1 } });
  expect(node.stats).toBe(first);
  report(2, 2_000);
  expect(node.stats).toEqual({ at: 2_000, payload: { tunnels: 2 } });
});
