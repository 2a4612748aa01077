import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from '../../../support/browser.ts';
import { BrowserWalk } from '../../../support/manager/browser-walk.ts';
import { freeTcpPort } from '../../../support/manager/free-tcp-port.ts';
import { clientSecret, IdentityProvider } from '../../../support/manager/identity-provider.ts';
import { ManagerProcess } from '../../../support/programs/manager-process.ts';

describe.each([
  ['with its groups in the ID token', false],
  ['with its groups at the userinfo endpoint only', true],
])('sign-in through a provider %s', (_where, leanIdToken) => {
  const folder = mkdtempSync(join(tmpdir(), 'adit-oidc-'));
  let stack: AsyncDisposableStack;
  let provider: IdentityProvider;
  let manager: ManagerProcess;
  let origin: string;
  let browser: BrowserWalk;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const port = await freeTcpPort();
    origin = `https://127.0.0.1:${port}`;
    provider = stack.use(await IdentityProvider.start({ redirectUri: `${origin}/api/v1/oidc/callback`, leanIdToken }));
    writeFileSync(join(folder, 'provider.pem'), provider.certificate);
    writeFileSync(join(folder, 'secret'), `${clientSecret}\n`);
    manager = stack.use(
      await ManagerProcess.start({
        config: {
          oidc: {
            ...{ issuer: provider.issuer, client_id: provider.clientId, client_secret_path: join(folder, 'secret') },
            roles: { 'fleet-operators': 'operator', 'fleet-admins': 'admin' },
          },
        },
        env: { NODE_EXTRA_CA_CERTS: join(folder, 'provider.pem') },
        port,
      }),
    );
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    browser = new BrowserWalk();
    provider.person = { sub: 'maria', groups: ['staff', 'fleet-operators'] };
    provider.nonce = null;
  });

  const start = (): string => `${origin}/api/v1/oidc/start`;
  const isCallback = (url: string): boolean => url.startsWith(`${origin}/api/v1/oidc/callback`);
  const me = async (): Promise<{ readonly name?: string; readonly role?: string }> =>
    JSON.parse((await browser.go(`${origin}/api/v1/me`)).body) as { name?: string; role?: string };

  it('gives the role of the highest group, and a new one when the groups change', async () => {
    expect(await browser.go(start())).toMatchObject({ status: 200, url: `${origin}/` });
    expect(await me()).toMatchObject({ name: 'maria', role: 'operator' });
    provider.person = { sub: 'maria', groups: ['fleet-operators', 'fleet-admins'] };
    browser = new BrowserWalk();
    await browser.go(start());
    expect(await me()).toMatchObject({ name: 'maria', role: 'admin' });
    const users = (await manager.done('GET', 'users')) as unknown as { items: { name: string; sign_in: string }[] };
    expect(users.items.filter(({ name }) => name === 'maria')).toMatchObject([{ sign_in: 'oidc' }]);
  });

  it('ends with the log-out here: the session is worth nothing any more', async () => {
    await browser.go(start());
    expect(await browser.post(`${origin}/api/v1/logout`)).toBe(200);
    expect((await browser.go(`${origin}/api/v1/me`)).status).toBe(401);
  });

  it('lets nobody in whose groups have no role, and nobody who declines', async () => {
    provider.person = { sub: 'guest', groups: ['staff'] };
    expect(await browser.go(start())).toMatchObject({ status: 200, url: `${origin}/?sign_in=no_role` });
    provider.person = null;
    browser = new BrowserWalk();
    const declined = `${origin}/?sign_in=not_confirmed&provider=access_denied`;
    expect(await browser.go(start())).toMatchObject({ status: 200, url: declined });
    expect((await browser.go(`${origin}/api/v1/me`)).status).toBe(401);
  });

  it('refuses an answer with another state, to another browser, twice, or with another nonce', async () => {
    const back = await browser.go(start(), isCallback);
    const otherState = back.url.replace(/state=[^&]*/, 'state=another');
    const notConfirmed = `${origin}/?sign_in=not_confirmed`;
    const notStarted = `${origin}/?sign_in=not_started`;
    expect((await browser.go(otherState)).url).toBe(notConfirmed);
    expect((await new BrowserWalk().go(back.url)).url).toBe(notStarted);
    expect((await browser.go(back.url)).url).toBe(`${origin}/`);
    expect((await browser.go(back.url)).url).toBe(notStarted);

    browser = new BrowserWalk();
    provider.nonce = 'another';
    expect((await browser.go(start())).url).toBe(notConfirmed);
    expect((await browser.go(`${origin}/api/v1/me`)).status).toBe(401);
  });

  it('shows what a refusal means where one signs in, until somebody does', async () => {
    provider.person = { sub: 'zoe', groups: ['fleet-operators'] };
    await browser.go(start());
    const { items } = (await manager.done('GET', 'users?q=zoe')) as unknown as { items: { id: string }[] };
    await manager.done('PATCH', `users/${items[0]?.id}`, { disabled: true });
    browser = new BrowserWalk();
    const { url } = await browser.go(start());
    expect(url).toBe(`${origin}/?sign_in=disabled`);
    await using chromium = await launchBrowser();
    const { page, faults } = await openPage(chromium);
    await page.goto(url);
    await page.getByText('This user is disabled here. Ask an administrator.').waitFor();
    await page.goto(`${origin}/?sign_in=not_confirmed&provider=access_denied`);
    await page.getByText('The identity provider did not confirm the sign-in (access_denied).').waitFor();
    await page.goto(`${origin}/?sign_in=Call+this+number&provider=%3Cb%3E`);
    await page.getByRole('link', { name: 'Single sign-on' }).waitFor();
    expect(await page.getByText('number').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('reports that the provider is away, and passwords and tokens go on', async () => {
    await provider[Symbol.asyncDispose]();
    const back = await browser.go(start(), (url) => url.startsWith(provider.issuer));
    // What the provider told of itself is known by now: the browser finds it away.
    expect(back.url).toContain(provider.issuer);
    await manager.end('SIGTERM');
    await manager.resume();
    const refused = await new BrowserWalk().go(start());
    expect(refused).toMatchObject({ status: 200, url: `${origin}/?sign_in=provider_away` });
    expect(await manager.api('GET', 'me')).toMatchObject({ status: 200 });
  });
});
