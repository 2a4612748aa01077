import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';

describe('writes against a generation that was read', () => {
  let bed: ApiBed;
  let cookie: string;

  beforeAll(async () => {
    bed = await ApiBed.start();
    cookie = await bed.signUp();
  });

  afterAll(async () => bed[Symbol.asyncDispose]());

  test.each(['nodes', 'tunnels', 'flows'])(
    'MH5 a stale write to %s is refused with 412 and changes nothing',
    async (list) => {
      const { body } = await bed.send('GET', `${list}?limit=1`, { cookie });
      const [first] = body['items'] as readonly { readonly id: string }[];
      const path = `${list}/${first?.id ?? ''}`;
      const read = await bed.send('GET', path, { cookie });
      const etag = String(read.headers.etag);
      expect(etag).toMatch(/^"\d+"$/);
      const patch = (ifMatch: string, name: string) =>
        bed.send('PATCH', path, { cookie, headers: { ...sameOrigin, 'if-match': ifMatch }, body: { name } });
      const written = await patch(etag, 'first writer');
      expect(written.status).toBe(200);
      expect(written.headers.etag).not.toBe(etag);
      const late = await patch(etag, 'second writer');
      expect([late.status, late.body['error_code']]).toEqual([412, 'stale']);
      const gone = await bed.send('DELETE', path, { cookie, headers: { ...sameOrigin, 'if-match': etag } });
      expect(gone.status).toBe(412);
      const after = await bed.send('GET', path, { cookie });
      expect(after.body['name']).toBe('first writer');
    },
  );

  test.each([
    ['users', { name: 'bob', password: adminPassword, role: 'viewer' }, { role: 'operator' }],
    ['webhooks', { name: 'pager', url: 'https://pager.example/', triggers: ['node_offline'] }, { name: 'other pager' }],
  ])('MH5 a stale DELETE of %s is refused with 412 and removes nothing', async (list, content, change) => {
    const send = (method: string, path: string, body?: object, ifMatch?: string) =>
      bed.send(method, path, {
        cookie,
        headers: { ...sameOrigin, ...(ifMatch !== undefined && { 'if-match': ifMatch }) },
        ...(body !== undefined && { body }),
      });
    const added = await send('POST', list, content);
    expect(added.status).toBe(201);
    const etag = String(added.headers.etag);
    const path = `${list}/${String(added.body['id'])}`;
    const changed = await send('PATCH', path, change);
    expect(changed.status).toBe(200);
    const refused = await send('DELETE', path, undefined, etag);
    expect([refused.status, refused.body['error_code']]).toEqual([412, 'stale']);
    expect((await send('DELETE', path, undefined, String(changed.headers.etag))).status).toBe(200);
  });

  test('a header that is no ETag is refused', async () => {
    const answer = await bed.send('PATCH', 'nodes/x', {
      cookie,
      headers: { ...sameOrigin, 'if-match': 'abc' },
      body: {},
    });
    expect(answer.status).toBe(400);
  });
});
