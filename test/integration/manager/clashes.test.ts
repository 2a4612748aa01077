import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, openDatabases } from '../../support/manager/databases.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { cookieOf, restCall, sameOrigin } from '../../support/manager/rest-call.ts';

/** Requests that cannot all be granted. */
describe.each(engines)('on %s', (engine) => {
  const stack = new AsyncDisposableStack();
  let manager: ManagerBed;
  let cookie: string;
  beforeAll(async () => {
    const databases = stack.use(await openDatabases(engine));
    const options = { databaseUrl: await databases.newUrl(), masterKey: 'ab'.repeat(32), hasPage: true };
    manager = stack.use(await ManagerBed.start(options));
    const token = manager.program.firstAdmin?.split('#')[1] ?? '';
    const person = { token, name: 'alice', password: 'correct horse battery' };
    cookie = cookieOf(await restCall(manager.origin, 'POST', 'first-admin', { body: person }));
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const send = (method: string, path: string, body: object) =>
    restCall(manager.origin, method, path, { cookie, headers: sameOrigin, body });

  it('of tunnels with one id that are made at once the others are refused, and the database is not called away', async () => {
    const [relay, source, destination] = [
      await manager.add('relay', 'relay'),
      await manager.add('source'),
      await manager.add('destination'),
    ];
    const body = {
      ...{ id: '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f', name: 'camera', protocol: 'udp' },
      source: { node_id: source.id, listen: '127.0.0.1:5000' },
      destination: { node_id: destination.id, forward: '127.0.0.1:5001' },
      relays: [{ node_id: relay.id, relay_addr: 'relay.example:4433' }],
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send('POST', 'tunnels', body)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409]);
  });

  it('a node is not renamed to a name that is taken, however many names contain it', async () => {
    const { id } = await manager.add('other');
    await manager.add('z');
    for (let number = 0; number < 510; number++) await manager.add(`az ${number}`);
    const refused = await send('PATCH', `nodes/${id}`, { name: 'z' });
    expect(refused).toMatchObject({ status: 409, body: { error_code: 'name_taken' } });
    expect(await manager.fleet.nodes.patch(id, { name: 'y' }, null, admin)).toMatchObject({ name: 'y' });
  });
});
