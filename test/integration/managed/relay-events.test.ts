import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { raisedAtMs, type ReceivedEvent } from '../../support/peers/managed-node.ts';
import { startManagedRelay } from '../../support/programs/managed-programs.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { ScriptedEdge } from '../../support/peers/scripted-edge.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { until } from '../../support/until.ts';
import { bindVector, vectorTunnel } from '../../support/samples/vectors.ts';

const id = knownTunnelId(vectorTunnel.id);
const { secret } = bindVector;
const clock = new SystemClock();

/** A manager with a relay, and what a test needs to provoke the relay's events for real. */
async function startWorld(engineName: 'quiche' | 'native') {
  await using starting = new AsyncDisposableStack();
  const manager = starting.use(await TestManager.start());
  const relay = starting.use(
    await startManagedRelay({
      manager,
      nodeId: 'relay-1',
      config: { tunnels: [{ id, bind_secret: secret }], quic: { engine: engineName } },
    }),
  );
  const engine = starting.use(await openEngine(engineName));
  const [address = ''] = relay.quicAddresses;
  await manager.event('Connected to manager');
  const stack = starting.move();
  return {
    manager,
    relay,
    dial: () => ScriptedEdge.connect(engine, address),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type World = Awaited<ReturnType<typeof startWorld>>;

async function greeted(world: World, name: string): Promise<ScriptedEdge> {
  const edge = (await world.dial()).greet(name);
  await edge.expect('hello_ack');
  return edge;
}

/** The relay's 13 (docs/protocol/events.md) as patterns, in the order in which `provoke…` causes them. */
const expected: readonly [severity: string, category: string, message: RegExp][] = [
  ['info', 'manager', /^Connected to manager$/],
  ['warning', 'edge', /^Edge connection failed: control stream error from 127\.0\.0\.1:\d+$/],
  ['info', 'edge', /^Edge connected from 127\.0\.0\.1:\d+$/],
  ['warning', 'edge', /^Protocol version mismatch \(edge=1, relay=2\)$/],
  ['warning', 'tunnel', /^Tunnel bind rejected: invalid token$/],
  ['info', 'tunnel', /^Tunnel active \(both sides bound\)$/],
  ['warning', 'tunnel', /^Tunnel down: edge disconnected$/],
  ['info', 'edge', /^Edge disconnected from 127\.0\.0\.1:\d+$/],
  ['info', 'manager', /^Secret rotated successfully$/],
  ['warning', 'manager', /^Credential persistence failed: .*config\.json is not JSON any more$/],
  ['warning', 'manager', /^Manager connection lost, reconnecting$/],
  ['critical', 'manager', /^Manager authentication failed: Invalid node secret$/],
  ['warning', 'manager', /^Manager connection lost, reconnecting: closed with code 1011: going down$/],
];

async function provokeEdgeEvents(world: World): Promise<void> {
  const { manager } = world;
  const silent = await world.dial();
  silent.close();
  await manager.event(/^Edge connection failed/);

  const old = await world.dial();
  old.openControl().send({ type: 'hello', protocol_version: 1, software_version: 'old', features: [] });
  await manager.event(/^Protocol version mismatch/);

  const stranger = await greeted(world, 'stranger');
  stranger.bind({ tunnelId: id, direction: 'ingress', token: 'ab'.repeat(32) });
  await manager.event('Tunnel bind rejected: invalid token');

  const ingress = await greeted(world, 'in');
  const egress = await greeted(world, 'out');
  ingress.bind({ tunnelId: id, direction: 'ingress', secret });
  egress.bind({ tunnelId: id, direction: 'egress', secret });
  await manager.event('Tunnel active (both sides bound)');
  egress.close();
  await manager.event('Tunnel down: edge disconnected');
}

async function provokeManagerEvents({ manager, relay }: World): Promise<void> {
  const node = await manager.nodeOnline();
  manager.secrets.get('relay-1')?.add('rotated');
  expect(await node.command({ type: 'rotate_secret', new_secret: 'rotated' })).toMatchObject({ success: true });

  const config = await readFile(relay.configPath, 'utf8');
  await writeFile(relay.configPath, 'garbage');
  expect(await node.command({ type: 'rotate_secret', new_secret: 'other' })).toMatchObject({
    success: false,
    error_code: 'persistence_failed',
  });
  await writeFile(relay.configPath, config);

  const secrets = manager.secrets.get('relay-1') ?? new Set();
  manager.secrets.set('relay-1', new Set());
  node.close(1000, 'bye');
  // Both secrets are refused before it counts as refused.
  await until(() => manager.auths.length >= 3);
  manager.secrets.set('relay-1', secrets);
  const again = await manager.nodeOnline(manager.connections.length);
  again.close(1011, 'going down');
  await manager.event(/going down$/);
}

function firstOf(events: readonly ReceivedEvent[], message: RegExp): ReceivedEvent | undefined {
  return events.find((event) => message.test(event.payload.message));
}

describe.each(await builtEngines())('a relay over %s with a manager', (engineName) => {
  it('T1 sends it each of the 13 events, provoked for real, in order, with its time, words and severity', async () => {
    const startedAtMs = clock.now();
    await using world = await startWorld(engineName);
    await provokeEdgeEvents(world);
    await provokeManagerEvents(world);
    const events = world.manager.distinctEvents;
    for (const [severity, category, message] of expected) {
      const event = firstOf(events, message);
      expect(event?.payload, String(message)).toMatchObject({ severity, category });
      if (category === 'tunnel') expect(event?.payload.flow_id).toBe(id);
      expect(event?.payload.details?.['event_id']).toMatch(/^[0-9a-f]{32}$/);
    }
    const positions = expected.map(([, , message]) => events.findIndex((event) => message.test(event.payload.message)));
    expect(positions).toEqual(positions.toSorted((one, other) => one - other));

    const times = events.map(raisedAtMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times[0]).toBeGreaterThanOrEqual(startedAtMs);
    expect(times.at(-1)).toBeLessThanOrEqual(clock.now());
    // Raised while no link was open, and sent with that time.
    const refused = firstOf(events, /authentication failed/);
    const reconnected = events.filter((event) => event.payload.message === 'Connected to manager')[1];
    if (refused === undefined || reconnected === undefined) throw new Error('not there');
    expect(raisedAtMs(reconnected) - raisedAtMs(refused)).toBeGreaterThan(1_000);
  });

  it('T1 sends it the truth: one disconnect for each connect, and nothing twice while a state lasts', async () => {
    await using world = await startWorld(engineName);
    const edges = await Promise.all(Array.from({ length: 5 }, (_, index) => greeted(world, `edge-${index}`)));
    for (const edge of edges) edge.close();
    const messages = () => world.manager.distinctEvents.map((event) => event.payload.message);
    await until(() => messages().filter((text) => text.startsWith('Edge disconnected')).length === 5);
    const addresses = (prefix: string) =>
      messages()
        .flatMap((text) => (text.startsWith(prefix) ? [text.slice(prefix.length)] : []))
        .sort();
    expect(addresses('Edge connected from ')).toEqual(addresses('Edge disconnected from '));
    expect(messages().filter((text) => text === 'Connected to manager')).toHaveLength(1);
  });
});
