import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';

describe('requests and sockets that another site made a browser send', () => {
  let bed: ApiBed;
  let cookie: string;

  beforeAll(async () => {
    bed = await ApiBed.start();
    cookie = await bed.signUp();
  });

  afterAll(async () => bed[Symbol.asyncDispose]());

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling domain', { 'sec-fetch-site': 'same-site' }],
    ['an old browser on another origin', { origin: 'https://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['a client that says nothing', {}],
  ])('MH2 a write with a cookie from %s is refused and does nothing', async (_name, headers) => {
    const before = bed.fleet.changes.length;
    const [node] = (await bed.fleet.nodes.page({ limit: 1 })).items;
    const answer = await bed.send('POST', `nodes/${node?.id ?? ''}/reconcile`, { cookie, headers, body: {} });
    expect(answer.status).toBe(403);
    expect(answer.body['error_code']).toBe('cross_site');
    expect(bed.fleet.changes.length).toBe(before);
  });

  test('a write from our own page is taken, also from an old browser', async () => {
    const [node] = (await bed.fleet.nodes.page({ limit: 1 })).items;
    const path = `nodes/${node?.id ?? ''}/reconcile`;
    expect((await bed.send('POST', path, { cookie, headers: sameOrigin, body: {} })).status).toBe(200);
    expect((await bed.send('POST', path, { cookie, headers: { origin: bed.origin }, body: {} })).status).toBe(200);
  });

  test('MH2 signing in from another site is refused', async () => {
    const body = { name: 'alice', password: 'x' };
    const answer = await bed.send('POST', 'login', { headers: { 'sec-fetch-site': 'cross-site' }, body });
    expect(answer.body['error_code']).toBe('cross_site');
  });

  test('a form or plain text is no body', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const headers = { ...sameOrigin, 'content-type': type };
      const answer = await bed.send('POST', 'nodes', { cookie, headers, raw: '{"name":"x"}' });
      expect([type, answer.status]).toEqual([type, 415]);
    }
  });

  test('MH2 a dashboard socket opens for our page only', async () => {
    expect(await dashboardStatus({ cookie, origin: 'https://evil.example' })).toBe(403);
    expect(await dashboardStatus({ cookie })).toBe(403);
    expect(await dashboardStatus({ cookie: '__Host-adit=unknown', origin: bed.origin })).toBe(401);
    expect(await dashboardStatus({})).toBe(401);
    expect(await dashboardStatus({ cookie, origin: bed.origin })).toBe(101);
  });

  test('the cookie is for this host and for HTTPS only, and no script reads it', async () => {
    const { headers } = await bed.signIn('alice', 'correct horse battery');
    expect(headers['set-cookie']?.[0]).toMatch(/^__Host-adit=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  test('every answer carries the strict policy', async () => {
    const { headers } = await bed.send('GET', '/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
  });

  function dashboardStatus(headers: Record<string, string>): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const socket = new WebSocket(`${bed.origin.replace('https', 'wss')}/ws/dashboard`, {
      headers,
      rejectUnauthorized: false,
    });
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => {});
    socket.on('open', () => {
      resolve(101);
      socket.close();
    });
    return promise;
  }
});
