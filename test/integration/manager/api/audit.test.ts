import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';

describe('the audit trail of users, tokens and webhooks', () => {
  let bed: ApiBed;
  let cookie: string;

  beforeAll(async () => {
    bed = await ApiBed.start();
    cookie = await bed.signUp();
  });

  afterAll(async () => bed[Symbol.asyncDispose]());

  const send = (method: string, path: string, body?: unknown) =>
    bed.send(method, path, { cookie, headers: sameOrigin, body });

  async function actions(): Promise<readonly unknown[]> {
    const { body } = await send('GET', 'audit?limit=500');
    return (body['items'] as readonly { readonly action: unknown }[]).map(({ action }) => action);
  }

  test('MH4 every change has its row, and the chain verifies', async () => {
    const user = await send('POST', 'users', { name: 'bob', password: 'a long passphrase 1', role: 'viewer' });
    expect(user.status).toBe(201);
    const id = String(user.body['id']);
    expect((await send('PATCH', `users/${id}`, { role: 'operator' })).status).toBe(200);
    const token = await send('POST', 'api-tokens', { name: 'ci', role: 'viewer' });
    expect((await send('DELETE', `api-tokens/${String(token.body['id'])}`)).status).toBe(200);
    const hook = await send('POST', 'webhooks', {
      name: 'pager',
      url: 'https://hooks.example/x',
      triggers: ['node_offline'],
    });
    expect(hook.status).toBe(201);
    expect((await send('PATCH', `webhooks/${String(hook.body['id'])}`, { enabled: false })).status).toBe(200);
    expect((await send('DELETE', `webhooks/${String(hook.body['id'])}`)).status).toBe(200);
    expect((await send('DELETE', `users/${id}`)).status).toBe(200);
    expect((await bed.signIn('bob', 'a long passphrase 1')).status).toBe(401);
    expect(await actions()).toEqual([
      ...['login', 'user.delete', 'webhook.delete', 'webhook.change', 'webhook.create', 'api_token.delete'],
      ...['api_token.create', 'user.change', 'user.create', 'login', 'user.create'],
    ]);
    expect((await send('GET', 'audit/verify')).body).toMatchObject({ ok: true, checked: 11 });
  });

  test('a change that is refused leaves no row', async () => {
    const before = await actions();
    expect(
      (await send('POST', 'users', { name: 'alice', password: 'a long passphrase 1', role: 'viewer' })).status,
    ).toBe(409);
    expect((await send('POST', 'users', { name: 'carol', password: 'short', role: 'viewer' })).status).toBe(422);
    expect(await actions()).toEqual(before);
  });

  test('the history of a tunnel says nothing of users that are named as it is, nor what a failed sign-in named', async () => {
    const [tunnel] = (await bed.fleet.tunnels.page({ limit: 1 })).items;
    const { id = '', name = '' } = tunnel ?? {};
    await send('POST', 'users', { name, password: 'a long passphrase 1', role: 'viewer' });
    for (const given of [id, name]) expect((await bed.signIn(given, 'wrong-password')).status).toBe(401);
    const token = await bed.tokenOf('viewer', cookie);
    const { text, status } = await bed.send('GET', `tunnels/${id}/history`, { token });
    expect(status).toBe(200);
    expect(text).not.toMatch(/login|user\.create|alice/);
  });

  test('the last administrator stays', async () => {
    const { body: me } = await send('GET', 'me');
    const answer = await send('PATCH', `users/${String(me['id'])}`, { role: 'viewer' });
    expect(answer.body['error_code']).toBe('last_admin');
  });

  test('MH4 a row that is removed or changed in the database is found', async () => {
    const [third] = await bed.access.trail.chain(2, 1);
    const id = third?.id ?? 0;
    await bed.database.db.deleteFrom('audit').where('id', '=', id).execute();
    const removed = await send('GET', 'audit/verify');
    expect(removed.body).toMatchObject({ ok: false, broken_at: String(id + 1) });
    if (third !== undefined)
      await bed.database.db
        .insertInto('audit')
        .values({ ...third, actor: 'mallory' })
        .execute();
    const changed = await send('GET', 'audit/verify');
    expect(changed.body).toMatchObject({ ok: false, broken_at: String(id) });
  });
});
