import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { createStore } from '../../../src/manager/store/create-store.ts';
import { openDatabase, type OpenDatabase } from '../../../src/manager/store/open-database.ts';
import type { DriftRow } from '../../../src/manager/store/schema.ts';
import type { Store } from '../../../src/manager/store/store.ts';
import { Upkeep } from '../../../src/manager/upkeep.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';
import { engines, openDatabases, type Databases } from '../../support/manager/databases.ts';
import { sampleEvent, sampleLeg, sampleNode, sampleTunnel } from '../../support/manager/sample-rows.ts';

const leaseMs = 15_000;

describe.each(engines)('a store on %s', (engine) => {
  let databases: Databases;
  let database: OpenDatabase;
  let store: Store;

  beforeAll(async () => {
    databases = await openDatabases(engine);
  });
  afterAll(() => databases[Symbol.asyncDispose]());
  beforeEach(async () => {
    database = await openDatabase(await databases.newUrl(), { clock: new SystemClock(), onError: () => undefined });
    store = createStore(database);
  });
  afterEach(() => database.close());

  async function addNode(name = 'n'): Promise<string> {
    const node = sampleNode({ name });
    expect(await store.nodes.insert(node)).toBe(true);
    return node.id;
  }

  async function upkeep(clock: ManualClock): Promise<void> {
    const parts = { clock, logger: silentLogger, store, databaseBytes: () => Promise.resolve(0) };
    await new Upkeep(parts, { events: { retention_days: 30 }, limits: { database_bytes: 1 } }).run();
  }

  it('pages by name, searches in any case, and takes a name once', async () => {
    for (const name of ['Berlin', 'aachen', 'berne', '100%']) await addNode(name);
    expect(await store.nodes.insert(sampleNode({ name: 'Berlin' }))).toBe(false);
    const first = await store.nodes.page({ limit: 2 });
    const second = await store.nodes.page({ limit: 2, after: first.next });
    const names = [...first.items, ...second.items].map(({ name }) => name);
    expect(names.toSorted()).toEqual(['100%', 'Berlin', 'aachen', 'berne']);
    expect(second.next).toBeNull();
    expect((await store.nodes.page({ limit: 9, q: 'BER' })).items).toHaveLength(2);
    expect((await store.nodes.page({ limit: 9, q: '%' })).items).toHaveLength(1);
    expect((await store.nodes.page({ limit: 9, after: 'rubbish' })).items).toHaveLength(4);
  });

  it('reads the past of a flow, a tunnel and a webhook without a look at every row', async () => {
    if (engine === 'postgres') {
      const { rows } = await sql<{ indexname: string }>`select indexname from pg_indexes`.execute(database.db);
      const names = rows.map(({ indexname }) => indexname);
      expect(names).toEqual(expect.arrayContaining(['events_flow', 'audit_target', 'webhook_deliveries_hook']));
      return;
    }
    const plans = [
      sql`select * from events where flow_id = 'f' order by raised_at desc, id desc limit 50`,
      sql`select * from audit where target = 't' and action like 'tunnel.%' order by id desc limit 50`,
      sql`select last_error from webhook_deliveries where webhook_id = 'w' and attempts > 0`,
    ].map((query) => sql<{ detail: string }>`explain query plan ${query}`.execute(database.db));
    const details = (await Promise.all(plans)).map(({ rows }) => rows.map(({ detail }) => detail).join());
    for (const detail of details) expect(detail).toMatch(/^SEARCH \w+ USING INDEX \w+_(flow|target|hook) [^,]*$/);
  });

  it('finds names and messages with letters beyond ASCII', async () => {
    await addNode('Übertragung Köln');
    await store.events.insert([sampleEvent({ message: 'Straße ÄNDERT sich' })]);
    const found = async (q: string) => (await store.nodes.page({ limit: 9, q })).items.length;
    const told = async (text: string) => (await store.events.page({ limit: 9, text })).length;
    expect([await found('Übertragung'), await found('KöLN'), await told('ÄNDERT')]).toEqual([1, 1, 1]);
    // PostgreSQL knows the letters of its own locale.
    if (engine === 'sqlite')
      expect([await found('über'), await found('KÖLN'), await told('ändert')]).toEqual([1, 1, 1]);
  });

  it('keeps a text with NUL or half a character, with U+FFFD in its place', async () => {
    const id = await addNode('a\0b');
    await store.nodes.change(id, { description: 'half \uD83D of one' });
    expect(await store.nodes.get(id)).toMatchObject({ name: 'a\uFFFDb', description: 'half \uFFFD of one' });
    expect((await store.nodes.page({ limit: 9, q: 'a\0' })).items).toHaveLength(1);
    expect(await store.nodes.get(`${id}\0`)).toBeNull();
  });

  it('changes a node only at the generation that was read', async () => {
    const id = await addNode();
    expect(await store.nodes.change(id, { description: 'x', generation: 2 }, 1)).toMatchObject({ generation: 2 });
    expect(await store.nodes.change(id, { description: 'y' }, 1)).toBeNull();
  });

  it('numbers the sessions of a node upwards, and a late loser changes nothing', async () => {
    const id = await addNode();
    const [one, two] = [await store.sessions.claim(id, 'a', 'x', 1), await store.sessions.claim(id, 'b', 'y', 2)];
    expect(one).toEqual({ session: 1, previousInstanceId: null });
    expect(two).toEqual({ session: 2, previousInstanceId: 'a' });
    expect(await store.sessions.release(id, 1)).toBe(false);
    expect(await store.sessions.of(id)).toMatchObject({ instance_id: 'b', session: 2 });
    expect([await store.sessions.heldBy('a'), await store.sessions.heldBy('b')]).toEqual([
      new Map(),
      new Map([[id, 2]]),
    ]);
    expect(await store.sessions.release(id, 2)).toBe(true);
    expect(await store.sessions.claim('nobody', 'a', 'x', 1)).toBeNull();
    expect(await store.sessions.claim(id, 'a', 'x', 3)).toMatchObject({ session: 3 });
  });

  it('lets in no node that was disabled meanwhile', async () => {
    const id = await addNode();
    await store.nodes.change(id, { disabled_at: 1 });
    expect(await store.sessions.claim(id, 'a', 'x', 1)).toBeNull();
    expect(await store.sessions.of(id)).toBeNull();
  });

  it('has each dead session reaped by exactly one instance', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => addNode(`n${index}`)));
    await store.instances.register({ id: 'live', name: 'live', url: null, version: '1', started_at: 1 });
    for (const id of ids) await store.sessions.claim(id, 'dead', 'x', 1);
    await store.sessions.claim(ids[0] ?? '', 'live', 'x', 1);
    const reaped = await Promise.all([1, 2, 3].map(() => store.sessions.reap(leaseMs, 'live')));
    expect(reaped.flat()).toHaveLength(19);
    expect(await store.sessions.live(leaseMs, 'other')).toHaveLength(1);
  });

  it('distinguishes a live lease from a dead one by its own clock', async () => {
    await store.instances.register({ id: 'i', name: 'i', url: null, version: '1', started_at: 1 });
    expect(await store.instances.renew('i')).toBe(true);
    expect(await store.instances.renew('gone')).toBe(false);
    expect((await store.instances.all())[0]?.age_ms).toBeLessThan(leaseMs);
  });

  it('lets one of many racing pushes begin, and takes the answer of that one only', async () => {
    const nodeId = await addNode();
    const claim = await store.sessions.claim(nodeId, 'a', 'x', 1);
    const session = claim?.session ?? 0;
    const leg = sampleLeg(nodeId);
    await store.legs.insert([leg]);
    const seen = { generation: 1, status: 'pending' } as const;
    const started = await Promise.all(
      Array.from({ length: 50 }, (_, index) => store.legs.beginPush(leg.id, seen, { session, commandId: `c${index}` })),
    );
    const winners = started.filter((row) => row !== null);
    expect(winners).toHaveLength(1);
    const commandId = winners[0]?.command_id ?? '';
    expect(await store.legs.endPush(leg.id, { session, commandId: 'other' }, 'pushed', { updated_at: 1 })).toBeNull();
    expect(await store.legs.endPush(leg.id, { session: 9, commandId }, 'pushed', { updated_at: 1 })).toBeNull();
    expect(await store.legs.endPush(leg.id, { session, commandId }, 'pushed', { updated_at: 1 })).not.toBeNull();
  });

  it('begins no push for a session that is no longer the node’s', async () => {
    const nodeId = await addNode();
    await store.sessions.claim(nodeId, 'a', 'x', 1);
    await store.sessions.claim(nodeId, 'b', 'x', 1);
    const leg = sampleLeg(nodeId);
    await store.legs.insert([leg]);
    const seen = { generation: 1, status: 'pending' } as const;
    expect(await store.legs.beginPush(leg.id, seen, { session: 1, commandId: 'c' })).toBeNull();
    await store.legs.beginPush(leg.id, seen, { session: 2, commandId: 'c' });
    await store.sessions.release(nodeId, 2);
    await store.legs.releaseOrphans();
    expect(await store.legs.ofNode(nodeId)).toMatchObject([{ push_status: 'pending' }]);
  });

  it('confirms no leg for a session that is no longer the node’s', async () => {
    const nodeId = await addNode();
    await store.sessions.claim(nodeId, 'a', 'x', 1);
    await store.sessions.claim(nodeId, 'b', 'x', 1);
    const leg = sampleLeg(nodeId, { role: 'relay' });
    await store.legs.insert([leg]);
    expect(await store.legs.confirm(leg.id, { generation: 1 }, 1)).toBe(false);
    expect(await store.legs.ofNode(nodeId)).toMatchObject([{ push_status: 'pending' }]);
    expect(await store.legs.confirm(leg.id, { generation: 1 }, 2)).toBe(true);
  });

  it('gives a leg that an operator changes a new generation, whatever its state', async () => {
    const nodeId = await addNode();
    const leg = sampleLeg(nodeId, { push_status: 'failed', push_error: 'no', attempts: 3, failed_for_ms: 9 });
    await store.legs.insert([leg]);
    const wanted = { push_status: 'pending', push_error: null, attempts: 0, failed_for_ms: 0, generation: 2 };
    expect(await store.legs.want(leg.id, { want: 'absent' })).toMatchObject({ ...wanted, want: 'absent' });
    expect(await store.legs.remove(leg.id, { generation: 1 })).toBe(false);
    expect(await store.legs.remove(leg.id, { generation: 2 })).toBe(true);
  });

  it('stores each event of a node once, also within one call, and those without an id always', async () => {
    const node_id = await addNode();
    const twice = sampleEvent({ node_id, event_id: 'e1' });
    expect(await store.events.insert([twice, twice, sampleEvent({ node_id })])).toHaveLength(2);
    expect(await store.events.insert([twice, sampleEvent({ node_id })])).toHaveLength(1);
    const many = Array.from({ length: 2000 }, (_, index) => sampleEvent({ node_id, event_id: `m${index}` }));
    expect(await store.events.insert(many)).toHaveLength(2000);
    expect(await store.events.count({ nodeId: node_id })).toBe(2003);
  });

  it('finds events by what they say, newest first, in pages', async () => {
    const events = [3, 1, 2].map((at) =>
      sampleEvent({ raised_at: at, message: `Leg ${at}`, category: `config_sync.push_${at}`, severity: 'warning' }),
    );
    await store.events.insert(events);
    const page = await store.events.page({ limit: 2, category: 'config_sync' });
    expect(page.map(({ raised_at }) => raised_at)).toEqual([3, 2]);
    const rest = await store.events.page({ limit: 2, after: page.at(-1)?.id ?? null });
    expect(rest.map(({ raised_at }) => raised_at)).toEqual([1]);
    expect(await store.events.count({ text: 'LEG 2' })).toBe(1);
    expect(await store.events.count({ severity: 'info' })).toBe(0);
    expect(await store.events.acknowledge([page[0]?.id ?? 0], 'me', 5)).toBe(1);
    expect(await store.events.count({ unacknowledged: true })).toBe(2);
    expect(await store.events.prune(3, 10)).toBe(2);
  });

  it('undoes a transaction that fails as a whole, while others wait for it', async () => {
    const failed = store.transaction(async (inside) => {
      await inside.nodes.insert(sampleNode({ name: 'lost' }));
      throw new Error('no');
    });
    const beside = addNode('kept');
    await expect(failed).rejects.toThrow('no');
    await beside;
    expect((await store.nodes.all()).map(({ name }) => name)).toEqual(['kept']);
  });

  it('chains the audit trail without a fork', async () => {
    const entry = { at: 1, actor: 'a', actor_kind: 'user', action: 'x', outcome: 'ok' } as const;
    await Promise.all(Array.from({ length: 10 }, () => store.transaction((inside) => inside.audit.append(entry))));
    const rows = await database.db.selectFrom('audit').selectAll().execute();
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(10);
  });

  it('hands a command to one taker, and to none after its deadline', async () => {
    const command = {
      node_id: 'n',
      owner_id: 'o',
      asker_id: 'a',
      action_sealed: 's',
      state: 'queued',
      result: null,
    } as const;
    await store.commands.insert({ ...command, id: 'c', deadline_at: 10_000 });
    await store.commands.insert({ ...command, id: 'late', deadline_at: -1 });
    expect(await store.commands.queuedFor('o')).toEqual(['c']);
    const taken = await Promise.all([1, 2, 3].map(() => store.commands.claim('c', 'o')));
    expect(taken.filter((row) => row !== null)).toHaveLength(1);
    expect(await store.commands.claim('late', 'o')).toBeNull();
    await store.commands.finish('c', '{}');
    expect(await store.commands.result('c')).toBe('{}');
  });

  it('keeps relays, open drift and counts with the resources they belong to', async () => {
    const [a, b, relay] = [await addNode('a'), await addNode('b'), await addNode('r')];
    const tunnel = sampleTunnel(a, b);
    await store.tunnels.insert(tunnel);
    const row = { tunnel_id: tunnel.id, position: 0, relay_node_id: relay, relay_addr: 'r:4433' };
    await store.tunnels.setRelays(tunnel.id, [row]);
    expect(await store.tunnels.relays([tunnel.id])).toEqual([row]);
    expect(await store.tunnels.using(relay)).toHaveLength(1);
    expect((await store.tunnels.countByRelay()).get(relay)).toBe(1);
    const drift: DriftRow = {
      ...{
        id: 'd',
        node_id: a,
        kind: 'missing' as const,
        resource: 'tunnel' as const,
        resource_id: tunnel.id,
        name: 'x',
        fields: '[]',
      },
      ...{
        fingerprint: 'f',
        first_seen_at: 1,
        last_seen_at: 1,
        muted_fingerprint: null,
        resolved_at: null,
        resolution: null,
      },
    };
    expect(await store.drift.insert(drift)).toBe(true);
    expect(await store.drift.insert({ ...drift, id: 'd2' })).toBe(false);
    expect(await store.drift.countsByNode([a])).toEqual([{ node_id: a, kind: 'missing', count: 1 }]);
    await store.drift.change('d', { muted_fingerprint: 'f' });
    expect((await store.drift.page({ limit: 9, muted: true })).items).toHaveLength(1);
    expect((await store.drift.page({ limit: 9, muted: false })).items).toHaveLength(0);
    await store.drift.change('d', { resolved_at: 100, resolution: 'gone' });
    expect(await store.drift.insert({ ...drift, id: 'd3' })).toBe(true);
    await upkeep(new ManualClock(31 * 86_400_000));
    expect([await store.drift.get('d'), (await store.drift.get('d3'))?.id]).toEqual([null, 'd3']);
    expect(await store.nodes.remove(a)).toBe(true);
    expect(await store.drift.get('d3')).toBeNull();
  });
});
