import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';
import { cookieOf, sameOrigin } from '../../../support/manager/rest-call.ts';

describe('signing in', () => {
  let bed: ApiBed;

  beforeEach(async () => {
    bed = await ApiBed.start();
    await bed.signUp();
  });

  afterEach(async () => bed[Symbol.asyncDispose]());

  test('judges five wrong passwords a minute, also when many come at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => bed.signIn('alice', 'wrong-password')));
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([...Array<number>(5).fill(401), ...Array<number>(15).fill(429)]);
    expect((await bed.signIn('alice', adminPassword)).status).toBe(429);
  });

  test('lets in a user whose name has letters beyond ASCII, in any case, and has that name once', async () => {
    const cookie = cookieOf(await bed.signIn('alice', adminPassword));
    const add = (name: string) =>
      bed.send('POST', 'users', {
        cookie,
        headers: sameOrigin,
        body: { name, password: adminPassword, role: 'viewer' },
      });
    expect((await add('Özgür')).status).toBe(201);
    expect((await bed.signIn('Özgür', adminPassword)).status).toBe(200);
    expect((await bed.signIn('özgür', adminPassword)).status).toBe(200);
    expect((await add('ÖZGÜR')).status).toBe(409);
  });

  test('opens no session for a user who is disabled while the password is checked', async () => {
    const cookie = cookieOf(await bed.signIn('alice', adminPassword));
    const user = { name: 'bob', password: adminPassword, role: 'viewer' };
    const added = await bed.send('POST', 'users', { cookie, headers: sameOrigin, body: user });
    const change = (body: object) =>
      bed.send('PATCH', `users/${String(added.body['id'])}`, { cookie, headers: sameOrigin, body });
    // Checking the password takes longer than the change.
    const [signedIn, disabled] = await Promise.all([bed.signIn('bob', adminPassword), change({ disabled: true })]);
    expect([signedIn.status, disabled.status]).toEqual([401, 200]);
    expect((await change({ disabled: false })).status).toBe(200);
    expect((await bed.signIn('bob', adminPassword)).status).toBe(200);
  });

  test('takes the right password as often as it comes', async () => {
    for (let tries = 0; tries < 12; tries++) expect((await bed.signIn('alice', adminPassword)).status).toBe(200);
  });
});
