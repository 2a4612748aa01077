import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { anonymous } from '../../../src/manager/access/identity.ts';
import { SignIn } from '../../../src/manager/access/sign-in.ts';
import { Users } from '../../../src/manager/access/users.ts';
import { createAccessStore } from '../../../src/manager/store/create-access-store.ts';
import { openDatabase } from '../../../src/manager/store/open-database.ts';
import { engines, openDatabases, type Databases } from '../../support/manager/databases.ts';

const clock = new SystemClock();
const random = new SystemRandom();
const actor = anonymous('test', null);
const password = 'correct horse battery staple';

describe.each(engines)('administrators on %s', (engine) => {
  let databases: Databases;

  beforeAll(async () => {
    databases = await openDatabases(engine);
  });
  afterAll(() => databases[Symbol.asyncDispose]());

  async function access() {
    const database = await openDatabase(await databases.newUrl(), { clock, onError: () => undefined });
    onTestFinished(() => database.close());
    const store = createAccessStore(database);
    return { store, users: new Users({ store, clock, random }), signIn: new SignIn({ store, clock, random }) };
  }

  it('who take each other’s rights away at once leave one of them', async () => {
    const { store, users } = await access();
    const [one, other] = [
      await users.create({ name: 'one', password, role: 'admin' }, actor),
      await users.create({ name: 'other', password, role: 'admin' }, actor),
    ];
    for (let round = 0; round < 10; round++) {
      const ends = await Promise.allSettled([
        users.change(one.id, { role: 'viewer' }, null, actor),
        users.change(other.id, { disabled: true }, null, actor),
      ]);
      expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect(await store.users.countAdmins()).toBe(1);
      await users.change(other.id, { disabled: false }, null, actor);
      await users.change(one.id, { role: 'admin' }, null, actor);
    }
  });

  it('are made once, however many ask to be the first', async () => {
    const { store, signIn } = await access();
    const names = ['a', 'b', 'c', 'd'];
    const ends = await Promise.allSettled(names.map((name) => signIn.createFirstAdmin(name, password, null)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await store.users.count()).toBe(1);
  });
});
