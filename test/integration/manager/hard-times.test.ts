import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { openDatabases, type Databases } from '../../support/manager/databases.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { ManagerProcess } from '../../support/programs/manager-process.ts';
import { ShiftedClock } from '../../support/fakes/shifted-clock.ts';
import { pause } from '../../support/pause.ts';
import { until } from '../../support/until.ts';

const dayMs = 86_400_000;

function tunnelBetween(relay: string, venue: string, studio: string) {
  return {
    name: 'camera',
    protocol: 'udp' as const,
    source: { node_id: venue, listen: '127.0.0.1:5000' },
    destination: { node_id: studio, forward: '127.0.0.1:5001' },
    relays: [{ node_id: relay, relay_addr: 'relay.example:4433' }],
  };
}

describe('the limiter of wrong secrets', () => {
  it('MA4 locks the address that guessed, and not the node at its own address', async () => {
    await using manager = await ManagerBed.start({ config: { behind_proxy: 1 } });
    const { credentials, node } = await manager.join('venue');
    await node[Symbol.asyncDispose]();
    const tryFrom = async (address: string, secret: string): Promise<string | undefined> => {
      await using guest = await SimNode.dial(manager.url, { 'x-forwarded-for': address });
      return (await guest.authenticate({ node_id: credentials.node_id, node_secret: secret })).message;
    };
    for (let count = 0; count < 5; count++) expect(await tryFrom('203.0.113.9', 'wrong')).toBe('Invalid node secret');
    const locked = 'Too many failed authentication attempts. Locked out for 60 seconds.';
    expect(await tryFrom('203.0.113.9', 'wrong')).toBe(locked);
    expect(await tryFrom('203.0.113.9', credentials.node_secret)).toBe(locked);
    expect(await tryFrom('198.51.100.7', credentials.node_secret)).toBeUndefined();
  });

  it('MA4 locks the address that guessed tokens, and not a node that registers at its own address', async () => {
    await using manager = await ManagerBed.start({ config: { behind_proxy: 1 } });
    const { token } = await manager.add('venue');
    const tryFrom = async (address: string, guess: string): Promise<string | undefined> => {
      await using guest = await SimNode.dial(manager.url, { 'x-forwarded-for': address });
      return (await guest.authenticate({ registration_token: guess })).message;
    };
    for (let count = 0; count < 5; count++)
      expect(await tryFrom('203.0.113.9', 'x')).toBe('Invalid registration token');
    expect(await tryFrom('203.0.113.9', token)).toBe('Too many failed attempts. Try again later.');
    expect(await tryFrom('198.51.100.7', token)).toBeUndefined();
  });
});

describe('a clock that is set', () => {
  it.each([dayMs, -dayMs])('MB4 by %d ms ends no link, makes no ghost, and locks nobody out', async (shiftMs) => {
    const clock = new ShiftedClock();
    await using manager = await ManagerBed.start({ clock, config: { ghost_after_secs: 60 } });
    const relay = await manager.join('relay', 'relay');
    const venue = await manager.join('venue', 'edge', (node) => {
      node.answer = () => ({ error: 'port in use' });
    });
    const studio = await manager.join('studio');
    const { tunnel } = await manager.fleet.tunnels.create(tunnelBetween(relay.id, venue.id, studio.id), admin);
    await manager.eventsOf('config_sync.push_failed', venue.id);
    clock.shiftMs = shiftMs;
    // Longer than every timer of a second; a wait in which nothing may happen.
    await pause(3_000);
    for (const { node, id } of [relay, venue, studio]) {
      expect(node.isOpen).toBe(true);
      expect((await manager.fleet.nodes.get(id)).state).toBe('online');
    }
    expect((await manager.fleet.tunnels.get(tunnel.id)).removed_at).toBeNull();
    const messages = (await manager.events()).map(({ message }) => message);
    // Each node came twice, and went once in between.
    expect(messages.filter((message) => message === 'Node disconnected from manager')).toHaveLength(3);
    await venue.node[Symbol.asyncDispose]();
    await using again = await SimNode.connect(manager.url, venue.credentials);
    expect(again.isOpen).toBe(true);
    await using stranger = await SimNode.dial(manager.url);
    const refused = await stranger.authenticate({ node_id: venue.id, node_secret: 'wrong' });
    expect(refused.message).toBe('Invalid node secret');
    for (const { node } of [relay, studio]) await node[Symbol.asyncDispose]();
  });
});

describe.each(['sqlite', 'postgres'] as const)('a ghost, on %s', (engine) => {
  let databases: Databases;
  beforeAll(async () => {
    databases = await openDatabases(engine);
  });
  afterAll(() => databases[Symbol.asyncDispose]());

  it('ME2 of which several instances hold legs is removed once, with one event', async () => {
    const databaseUrl = await databases.newUrl();
    const options = { databaseUrl, masterKey: 'ab'.repeat(32), config: { ghost_after_secs: 2 } };
    await using one = await ManagerBed.start(options);
    await using other = engine === 'postgres' ? await ManagerBed.start(options) : null;
    const relay = await one.join('relay', 'relay');
    const refuse = (node: SimNode): void => {
      node.answer = () => ({ error: 'port in use' });
    };
    const venue = await one.join('venue', 'edge', refuse);
    const studio = await (other ?? one).join('studio', 'edge', refuse);
    const { tunnel } = await one.fleet.tunnels.create(tunnelBetween(relay.id, venue.id, studio.id), admin);
    await until(async () => (await one.fleet.tunnels.get(tunnel.id)).removed_by === 'ghost');
    // Both instances have had time to notice; a wait for nothing more to happen.
    await pause(3_000);
    const events = (await one.events()).filter(({ category }) => category === 'config_sync.ghost_cleanup');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ tunnel_id: tunnel.id, severity: 'warning' });
    for (const { node } of [relay, venue, studio]) await node[Symbol.asyncDispose]();
  });
});

describe('a session that the database does not have', () => {
  it('is closed with 1012, so that its node comes again and is shown as it is', async () => {
    await using manager = await ManagerBed.start();
    const { id, node, credentials } = await manager.join('venue');
    const { store } = manager.program.manager.parts;
    // As an instance does that takes this one for dead.
    await store.sessions.release(id, (await store.sessions.of(id))?.session ?? 0);
    await until(() => node.closed !== null, { what: 'the node was closed' });
    expect(node.closed).toMatchObject({ code: 1012 });
    await using again = await SimNode.connect(manager.url, credentials);
    expect(again.isOpen).toBe(true);
    expect((await manager.fleet.nodes.get(id)).state).toBe('online');
  });
});

describe('limits', () => {
  it('limits.legs refuses the tunnel that would be one too many, and names the key', async () => {
    await using manager = await ManagerBed.start({ config: { limits: { legs: 5 } } });
    const [relay, venue, studio] = [
      await manager.add('relay', 'relay'),
      await manager.add('a'),
      await manager.add('b'),
    ];
    await manager.fleet.tunnels.create(tunnelBetween(relay.id, venue.id, studio.id), admin);
    await expect(
      manager.fleet.tunnels.create(tunnelBetween(relay.id, venue.id, studio.id), admin),
    ).rejects.toMatchObject({ status: 409, message: 'there are 3 legs already, and limits.legs allows 5' });
  });

  it('limits.database_bytes makes info events go sooner, and no others, and reports it', async () => {
    await using manager = await ManagerBed.start({ config: { limits: { database_bytes: 1_048_576 } } });
    const { store, upkeep } = manager.program.manager.parts;
    const now = new SystemClock().now();
    const event = (index: number, days: number, severity: 'info' | 'warning') => ({
      ...{ node_id: null, severity, category: 'edge', message: 'x'.repeat(2_000), event_id: `${severity}-${index}` },
      ...{ raised_at: now - days * dayMs, received_at: now },
    });
    for (let index = 0; index < 1_000; index++) await store.events.insert([event(index, 20, 'info')]);
    await store.events.insert([event(0, 20, 'warning'), event(1, 2, 'info')]);
    await upkeep.run();
    expect(await store.events.count({ category: 'edge' })).toBe(2);
    expect(manager.log.lines.filter(({ message }) => message.startsWith('the database is too large'))).toHaveLength(1);
    await upkeep.run();
    expect(await store.events.count({ category: 'edge' })).toBe(2);
  });
});

describe('nodes that misbehave', () => {
  it('MA1 one whose frames have wrong types in every place stays connected, and every view of it answers', async () => {
    await using manager = await ManagerProcess.start();
    const { id, token } = await manager.add('odd');
    await using node = await SimNode.connect(manager.url, { registration_token: token });
    const values = [null, true, -1e308, 'text', [], [null, 7, {}], {}, { message: 7 }];
    const types = ['stats', 'health', 'event', 'command_ack', 'config_response', 'pong', 'auth', 7, null, {}];
    for (const type of types) for (const payload of values) node.send({ type, timestamp: payload, payload });
    for (const odd of values) {
      node.say('event', { severity: odd, category: odd, message: 'kept', details: odd, flow_id: odd });
      node.say('health', { status: odd, version: odd, reasons: odd, capabilities: odd, quic_addr: odd });
      node.say('command_ack', { command_id: odd, success: odd, error: odd });
      node.say('config_response', { tunnels: odd, flows: odd });
      const tunnels = [odd, { id: odd, state: odd, relay_addrs: odd, drops: odd, stats: odd }];
      node.say('stats', { tunnels, flows: [odd, { id: odd }], agents: [odd], edges: odd, uptime_secs: odd });
      for (const path of ['nodes', `nodes/${id}`, `nodes/${id}/stats`, `nodes/${id}/legs`, 'overview', 'events']) {
        expect([path, odd, (await manager.api('GET', path)).status]).toEqual([path, odd, 200]);
      }
    }
    await until(async () => (await manager.done('GET', `events/count?node=${id}&q=kept`))['total'] === values.length);
    expect(await manager.api('POST', `nodes/${id}/command`, { action: { type: 'list_tunnels' } })).toMatchObject({
      status: 200,
    });
    expect(node.isOpen).toBe(true);
    expect(manager.output).not.toContain('unexpected error');
  });

  it('MF3 one that reads nothing and one that floods with junk leave commands to the others quick', async () => {
    await using manager = await ManagerBed.start();
    const [slow, loud, well] = [await manager.join('slow'), await manager.join('loud'), await manager.join('well')];
    for (const { id } of [slow, loud, well]) await manager.steady(id);
    slow.node.pause();
    const clock = new SystemClock();
    const ended = new AbortController();
    const flood = (async () => {
      // 5 000 frames a second.
      for (;;) {
        await pause(20);
        if (ended.signal.aborted || !loud.node.isOpen) return;
        for (let count = 0; count < 100; count++) loud.node.sendText(count % 2 === 0 ? '{not json' : '{"type":5}');
      }
    })();
    const asked = Array.from({ length: 20 }, () =>
      manager.fleet.nodes.command(slow.id, { type: 'list_tunnels' }, admin),
    );
    const outcomes = Promise.allSettled(asked);
    const durations: number[] = [];
    for (let count = 0; count < 30; count++) {
      const startedMs = clock.monotonicMs();
      await manager.fleet.nodes.command(well.id, { type: 'list_tunnels' }, admin);
      durations.push(clock.monotonicMs() - startedMs);
      await pause(50);
    }
    ended.abort();
    await flood;
    // Whoever waited for the slow one would take 10 s.
    expect(durations.toSorted((a, b) => a - b)[15]).toBeLessThan(5000);
    expect((await manager.fleet.nodes.get(well.id)).state).toBe('online');
    for (const { node } of [slow, loud, well]) await node[Symbol.asyncDispose]();
    await outcomes;
  });
});
