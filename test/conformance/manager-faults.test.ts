import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { openDatabases, type Databases } from '../support/manager/databases.ts';
import { runKillTrial } from '../support/manager/kill-trial.ts';
import { PostgresServer } from '../support/manager/postgres-server.ts';
import { SimNode } from '../support/manager/sim-node.ts';
import { pause } from '../support/pause.ts';
import { ManagerProcess, type ManagerProcessOptions } from '../support/programs/manager-process.ts';
import { until } from '../support/until.ts';

const masterKey = randomBytes(32).toString('hex');

interface Ends {
  readonly relay: string;
  readonly venue: string;
  readonly studio: string;
}

function tunnelOf({ relay, venue, studio }: Ends, name = 'camera') {
  return {
    name,
    protocol: 'udp',
    source: { node_id: venue, listen: '127.0.0.1:5000' },
    destination: { node_id: studio, forward: '127.0.0.1:5001' },
    relays: [{ node_id: relay, relay_addr: 'relay.example:4433' }],
  };
}

/** A node that registered and came back with its secret. */
async function joined(manager: ManagerProcess, name: string, kind: 'relay' | 'edge', setup?: (node: SimNode) => void) {
  const { id, token } = await manager.add(name, kind);
  const first = await SimNode.dial(manager.url);
  const { payload } = await first.authenticate({ registration_token: token });
  const { node_secret } = payload as { readonly node_secret: string };
  await first[Symbol.asyncDispose]();
  const credentials = { node_id: id, node_secret };
  return { id, credentials, node: await SimNode.connect(manager.url, credentials, setup) };
}

async function stateOf(manager: ManagerProcess, id: string): Promise<unknown> {
  return (await manager.done('GET', `nodes/${id}`))['state'];
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  let databases: Databases;
  beforeAll(async () => {
    databases = await openDatabases(engine);
  });
  afterAll(() => databases[Symbol.asyncDispose]());

  it('MF1 each event of a node is stored once and in order, whenever its manager is killed', async () => {
    const databaseUrl = await databases.newUrl();
    const result = await runKillTrial({ databaseUrl, events: 2_000, kills: 4, masterKey });
    expect(result).toEqual({ raised: 2_000, stored: 2_000, missing: 0, doubled: 0, outOfOrder: 0 });
  });

  it('MB3 after a kill -9 no node is online before it has connected, and no leg is being pushed', async () => {
    await using manager = await ManagerProcess.start({
      config: { database: { url: await databases.newUrl() } },
      env: { ADIT_MASTER_KEY: masterKey },
      reachable: true,
    });
    const relay = await joined(manager, 'relay', 'relay');
    const mute = (node: SimNode): void => {
      node.answer = () => 'silence';
    };
    const [venue, studio] = [
      await joined(manager, 'venue', 'edge', mute),
      await joined(manager, 'studio', 'edge', mute),
    ];
    const { id } = await manager.done(
      'POST',
      'tunnels',
      tunnelOf({ relay: relay.id, venue: venue.id, studio: studio.id }),
    );
    const statuses = async (): Promise<string[]> => {
      const { legs } = (await manager.done('GET', `tunnels/${String(id)}`)) as { legs: { push_status: string }[] };
      return legs.map(({ push_status: status }) => status).toSorted();
    };
    await venue.node.command('create_tunnel');
    expect(await statuses()).toContain('pushing');
    await manager.end('SIGKILL');
    await manager.resume();
    for (const node of [relay, venue, studio]) expect(await stateOf(manager, node.id)).not.toBe('online');
    expect(await statuses()).not.toContain('pushing');
    await using again = await SimNode.connect(manager.url, venue.credentials);
    expect(await stateOf(manager, venue.id)).toBe('online');
    await again.command('create_tunnel');
    for (const { node } of [relay, venue, studio]) await node[Symbol.asyncDispose]();
  });
});

describe('a database that is away', () => {
  it('MF2 PostgreSQL stops: links stay up, events wait and are stored when it is back', async () => {
    await using server = await PostgresServer.start();
    await using manager = await ManagerProcess.start({
      config: { database: { url: await server.newDatabase() } },
      env: { ADIT_MASTER_KEY: masterKey },
    });
    const { node, id } = await joined(manager, 'venue', 'edge');
    await using _node = node;
    await server.halt();
    for (let number = 0; number < 900; number++) node.event(`n${number}`, `id-${number}`);
    node.ping('events-900');
    await until(async () => (await ready(manager)) === 503, { what: 'not ready' });
    node.ping('alive');
    await until(() => node.pongs.includes('alive'), { what: 'a pong' });
    // Longer than the lease; a wait in which nothing may end.
    await pause(17_000);
    expect(node.isOpen).toBe(true);
    expect(node.pongs).not.toContain('events-900');
    await server.resume();
    await until(() => node.pongs.includes('events-900'), { what: 'the events are stored' });
    expect(node.isOpen).toBe(true);
    await until(async () => (await ready(manager)) === 200, { what: 'ready again' });
    expect(await manager.done('GET', `events/count?node=${id}&category=edge`)).toMatchObject({ total: 900 });
  });

  it('MF2 the disk is full: links stay up, events wait and are stored when there is room', async () => {
    await using manager = await ManagerProcess.start();
    const { node, id } = await joined(manager, 'venue', 'edge');
    await using _node = node;
    // What the kernel refuses past this size is what a full disk refuses.
    const limit = (bytes: string): void =>
      void execFileSync('prlimit', ['--pid', String(manager.pid), `--fsize=${bytes}`]);
    limit(`${statSync(`${manager.databasePath}-wal`).size + 4_096}:unlimited`);
    for (let number = 0; number < 900; number++) node.event(`n${number}`, `id-${number}`);
    node.ping('events-900');
    await until(async () => (await ready(manager)) === 503, { what: 'not ready' });
    node.ping('alive');
    await until(() => node.pongs.includes('alive'), { what: 'a pong' });
    expect(node.pongs).not.toContain('events-900');
    limit('unlimited:unlimited');
    await until(() => node.pongs.includes('events-900'), { what: 'the events are stored' });
    expect(node.isOpen).toBe(true);
    expect(await manager.done('GET', `events/count?node=${id}&category=edge`)).toMatchObject({ total: 900 });
    expect((await manager.command('check')).status).toBe(0);
  });
});

async function ready(manager: ManagerProcess): Promise<number> {
  return (await manager.api('GET', '/ready')).status;
}

describe('the master key', () => {
  async function withTunnels(): Promise<{ manager: ManagerProcess; ids: readonly string[] }> {
    const manager = await ManagerProcess.start();
    const [relay, venue, studio] = [
      await manager.add('relay', 'relay'),
      await manager.add('a'),
      await manager.add('b'),
    ];
    const ends = { relay: relay.id, venue: venue.id, studio: studio.id };
    const ids: string[] = [];
    for (const name of ['one', 'two'])
      ids.push(String((await manager.done('POST', 'tunnels', tunnelOf(ends, name)))['id']));
    return { manager, ids };
  }
  const keyOf = (manager: ManagerProcess): string => join(manager.folder, 'state', 'master.key');

  it('MG4 that is wrong or lost stops the start with one line; --forget-sealed goes on without it', async () => {
    const { manager, ids } = await withTunnels();
    await using _manager = manager;
    await manager.end('SIGTERM');
    const right = readFileSync(keyOf(manager), 'utf8');
    rmSync(keyOf(manager));
    await expect(manager.resume()).rejects.toThrow(/adit: there is no master key at .*: give it as ADIT_MASTER_KEY/);
    writeFileSync(keyOf(manager), `${'cd'.repeat(32)}\n`);
    await expect(manager.resume()).rejects.toThrow(
      /sealed with the master key [0-9a-f]{8}, not [0-9a-f]{8}: give that key/,
    );
    expect(right).not.toBe('');
    await manager.resume(['--forget-sealed']);
    const [first = ''] = ids;
    expect((await manager.done('GET', `tunnels/${first}`))['keys_unknown_at']).not.toBeNull();
    expect(await manager.api('GET', `tunnels/${first}/keys`)).toMatchObject({
      status: 409,
      body: { error_code: 'keys_unknown' },
    });
    await manager.done('POST', `tunnels/${first}/rotate-keys`, {});
    expect(await manager.api('GET', `tunnels/${first}/keys`)).toMatchObject({ status: 200 });
  });

  it('MG4 is asked for where webhooks alone were sealed with it; without it they stay disabled', async () => {
    await using manager = await ManagerProcess.start();
    const hook = { name: 'pager', url: 'https://pager.example/hook', triggers: ['node_offline'] };
    const { id } = await manager.done('POST', 'webhooks', hook);
    expect(await manager.command('check')).toMatchObject({ status: 0 });
    await manager.end('SIGTERM');
    expect(await manager.command('rekey')).toMatchObject({ status: 0 });
    expect(await manager.command('check')).toMatchObject({ status: 0 });
    writeFileSync(keyOf(manager), `${'cd'.repeat(32)}\n`);
    await expect(manager.resume()).rejects.toThrow(/sealed with the master key [0-9a-f]{8}, not [0-9a-f]{8}/);
    await manager.resume(['--forget-sealed']);
    const { items } = (await manager.done('GET', 'webhooks')) as { items: unknown };
    expect(items).toMatchObject([{ name: 'pager', enabled: false }]);
    expect(await manager.api('PATCH', `webhooks/${String(id)}`, { enabled: true })).toMatchObject({ status: 422 });
    expect(await manager.command('check')).toMatchObject({ status: 0 });
    await manager.end('SIGTERM');
    await manager.resume();
  });

  it('MG4 a flipped bit in a sealed row fails that tunnel alone', async () => {
    const { manager, ids } = await withTunnels();
    await using _manager = manager;
    await manager.end('SIGTERM');
    const [damaged = '', sound = ''] = ids;
    const database = new DatabaseSync(manager.databasePath);
    const row = database.prepare('SELECT bind_secret_sealed AS sealed FROM tunnels WHERE id = ?').get(damaged);
    const text = String(row?.['sealed']);
    const flipped = text.slice(0, -6) + (text.at(-6) === 'A' ? 'B' : 'A') + text.slice(-5);
    database.prepare('UPDATE tunnels SET bind_secret_sealed = ? WHERE id = ?').run(flipped, damaged);
    database.close();
    await manager.resume();
    expect((await manager.api('GET', `tunnels/${damaged}/keys`)).status).not.toBe(200);
    expect(await manager.api('GET', `tunnels/${sound}/keys`)).toMatchObject({ status: 200 });
    expect(await manager.api('GET', '/ready')).toMatchObject({ status: 200 });
    await manager.done('POST', `tunnels/${damaged}/rotate-keys`, {});
    expect(await manager.api('GET', `tunnels/${damaged}/keys`)).toMatchObject({ status: 200 });
  });
});

describe('a secret that is being rotated', () => {
  it.each(['before', 'after'])(
    'MG1 lets the node in with the old and the new one when the manager is killed %s its acknowledgement',
    async (moment) => {
      await using manager = await ManagerProcess.start();
      const { node, id, credentials } = await joined(manager, 'venue', 'edge', (sim) => {
        if (moment === 'before') sim.answer = ({ action }) => (action.type === 'rotate_secret' ? 'silence' : {});
      });
      const asked = Promise.allSettled([manager.api('POST', `nodes/${id}/rotate-secret`, {})]);
      const { action } = await node.command('rotate_secret');
      if (moment === 'after') expect(await asked).toMatchObject([{ status: 'fulfilled', value: { status: 200 } }]);
      await manager.end('SIGKILL');
      await asked;
      await node[Symbol.asyncDispose]();
      await manager.resume();
      await using old = await SimNode.connect(manager.url, credentials);
      expect(old.isOpen).toBe(true);
      await old[Symbol.asyncDispose]();
      const renewed = { node_id: id, node_secret: String(action['new_secret']) };
      await using fresh = await SimNode.connect(manager.url, renewed);
      expect((await manager.done('GET', `nodes/${id}`))['secrets']).toHaveLength(1);
      expect(fresh.isOpen).toBe(true);
      await expect(SimNode.connect(manager.url, credentials)).rejects.toThrow('Invalid node secret');
    },
  );
});

describe('instances of different versions', () => {
  it('MI3 start together on an empty database, and one that is older than the schema refuses while the others run on', async () => {
    await using server = await PostgresServer.start();
    const url = await server.newDatabase();
    const options: ManagerProcessOptions = {
      ...{ config: { database: { url } }, env: { ADIT_MASTER_KEY: masterKey }, reachable: true },
    };
    const started = await Promise.all([1, 2, 3].map(() => ManagerProcess.start(options)));
    await using stack = new AsyncDisposableStack();
    const [one, two, three] = started.map((manager) => stack.use(manager));
    await one?.token();
    await two?.token();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-next', now())`);
    await client.query('ALTER TABLE nodes ADD COLUMN of_the_next_version text');
    await client.end();
    await three?.end('SIGTERM');
    await expect(three?.resume()).rejects.toThrow(/the database is newer than this program \(9999-next\)/);
    await one?.add('venue');
    await until(async () => ((await two?.done('GET', 'nodes')) as { items: unknown[] }).items.length === 1);
  });
});
