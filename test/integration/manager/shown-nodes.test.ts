import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openDatabases } from '../../support/manager/databases.ts';
import { ManagerBed } from '../../support/manager/manager-bed.ts';
import { cookieOf, restCall } from '../../support/manager/rest-call.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { until } from '../../support/until.ts';

interface Row {
  readonly id: string;
  readonly state: string;
}

const person = { name: 'alice', password: 'correct horse battery' };

async function signUp({ origin, program }: ManagerBed): Promise<string> {
  const token = program.firstAdmin?.split('#')[1] ?? '';
  return cookieOf(await restCall(origin, 'POST', 'first-admin', { body: { token, ...person } }));
}

/** The state of a node in the list of all. */
async function listed({ origin }: ManagerBed, cookie: string, id: string): Promise<string | null> {
  const { items } = (await restCall(origin, 'GET', 'nodes?limit=500', { cookie })).body as { items: readonly Row[] };
  return items.find((row) => row.id === id)?.state ?? null;
}

it('a node that stays away is offline in the list and on live pages once its grace is over', async () => {
  await using manager = await ManagerBed.start({ hasPage: true });
  const cookie = await signUp(manager);
  const { id, node } = await manager.join('venue');
  const states: string[] = [];
  const page = new WebSocket(`${manager.url}/ws/dashboard`, {
    ...{ rejectUnauthorized: false, headers: { cookie, origin: manager.origin } },
  });
  page.on('message', (data: Buffer) => {
    const { items = [] } = JSON.parse(data.toString()) as { readonly items?: readonly Row[] };
    for (const row of items) if (row.id === id) states.push(row.state);
  });
  await once(page, 'open');
  page.send(JSON.stringify({ subscribe: ['nodes'] }));
  await until(() => states.at(-1) === 'online', { what: 'the node is online' });
  await node[Symbol.asyncDispose]();
  await until(() => states.at(-1) === 'offline', { what: `the page shows it as offline: ${states.join()}` });
  expect(await listed(manager, cookie, id)).toBe('offline');
  page.terminate();
});

describe('two instances', () => {
  const stack = new AsyncDisposableStack();
  let here: ManagerBed;
  let there: ManagerBed;
  beforeAll(async () => {
    const databases = stack.use(await openDatabases('postgres'));
    const options = { databaseUrl: await databases.newUrl(), masterKey: 'ab'.repeat(32), hasPage: true };
    here = stack.use(await ManagerBed.start(options));
    there = stack.use(await ManagerBed.start(options));
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  it('both list a node that was added at one of them, and know whether it is connected there', async () => {
    const cookie = await signUp(here);
    // Both have read the fleet before.
    for (const manager of [here, there]) expect(await listed(manager, cookie, '')).toBeNull();
    const { id, credentials, node } = await there.join('venue');
    const shows = (state: string) => until(async () => (await listed(here, cookie, id)) === state, { what: state });
    await shows('online');
    await node[Symbol.asyncDispose]();
    await shows('offline');
    await using _back = await SimNode.connect(there.url, credentials);
    await shows('online');
    await there.fleet.nodes.remove(id, false, { name: 'test', kind: 'user', role: 'admin', ip: null });
    await until(async () => (await listed(here, cookie, id)) === null, { what: 'it is gone' });
  });
});
