import { describe, expect, it } from 'vitest';
import { raisedAtMs } from '../../support/peers/managed-node.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { provokedTunnel, provokeEdgeEvents } from '../../support/programs/provoke-edge-events.ts';

const expected: readonly [severity: string, category: string, message: RegExp][] = [
  ['info', 'manager', /^Connected to manager$/],
  ['info', 'config', /^Configuration updated$/],
  ['info', 'tunnel', /^Tunnel 'camera' started$/],
  ['info', 'tunnel', /^Tunnel 'camera' stopped$/],
  ['info', 'tunnel', /^Tunnel connected to relay$/],
  ['warning', 'tunnel', /^Tunnel peer disconnected: .+$/],
  ['warning', 'tunnel', /^Tunnel disconnected from relay: .+$/],
  ['warning', 'tunnel', /^Tunnel connection to relay failed: .+$/],
  ['critical', 'tunnel', /^Tunnel 'camera' failed: .+$/],
  ['critical', 'tunnel', /^Tunnel bind rejected by relay: bind authentication failed$/],
  ['warning', 'config', /^Failed to persist configuration: .+$/],
  ['warning', 'manager', /^Manager connection lost, reconnecting/],
  ['critical', 'manager', /^Manager authentication failed: Invalid node secret$/],
];

describe.each(await builtEngines())('an edge over %s with a manager', (engineName) => {
  it('T1 sends it each of the 13 events, provoked for real, with its time, words and severity', async () => {
    await using manager = await TestManager.start();
    await provokeEdgeEvents(manager, engineName);
    for (const [severity, category, message] of expected) {
      const event = manager.events.find(({ payload }) => message.test(payload.message));
      expect(event?.payload, String(message)).toMatchObject({ severity, category });
      if (category === 'tunnel') expect(event?.payload.flow_id, String(message)).toBe(provokedTunnel);
    }
    const times = manager.distinctEvents.map(raisedAtMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
  });
});
