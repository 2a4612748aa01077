import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../../../support/browser.ts';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';
import { CutProxy } from '../../../support/manager/cut-proxy.ts';
import { admin, ManagerBed } from '../../../support/manager/manager-bed.ts';
import { signInPage, signUpInPage } from '../../../support/manager/page-walk.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const portOf = (origin: string): number => Number(new URL(origin).port);
const banner = (page: Page) => page.getByText(/^Live data is .* old[.]/);
const isLive = (page: Page) => page.getByRole('status').getByText('Live', { exact: true }).waitFor();

describe('the network between page and manager is cut', () => {
  let bed: ApiBed;
  beforeAll(async () => {
    bed = await ApiBed.start();
    await bed.signUp();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  test('the page says how old its data is, comes back by itself, and shows what changed meanwhile', async () => {
    await using proxy = await CutProxy.start(portOf(bed.origin));
    const { page, context } = await openPage(browser);
    const origin = `https://127.0.0.1:${proxy.port}`;
    await signInPage(page, { origin });
    await page.goto(`${origin}/tunnels?q=camera-0`);
    await page.getByText('1 in all').waitFor();
    await isLive(page);

    proxy.cut();
    await banner(page).waitFor();
    await page.getByRole('status').getByText('Not live').waitFor();
    const [tunnel] = (await bed.fleet.tunnels.page({ limit: 1 })).items;
    if (tunnel === undefined) throw new Error('the sample fleet has no tunnel');
    bed.fleet.putTunnel({ ...tunnel, name: 'camera-0 renamed in the dark' });
    bed.fleet.putTunnel({ ...tunnel, id: 'another', name: 'camera-0 made in the dark' });
    expect(await page.getByText('in the dark').count()).toBe(0);

    proxy.mend();
    await isLive(page);
    await banner(page).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'camera-0 renamed in the dark' }).waitFor();
    await page.getByRole('link', { name: 'camera-0 made in the dark' }).waitFor();
    await context.close();
  });

  test('no list says that there is nothing when it could not be read', async () => {
    const { page, context } = await openPage(browser);
    await signInPage(page, bed);
    const refusal = { error: 'The database is away.', error_code: 'unavailable' };
    await page.route(/[/]api[/]v1[/](?!me|overview)/, (route) => route.fulfill({ status: 503, json: refusal }));
    const lists = ['', 'nodes', 'tunnels', 'flows', 'drift', 'events', 'removed', 'audit', 'users', 'tokens'];
    for (const path of [...lists, 'webhooks', 'instances', 'settings']) {
      await page.goto(`${bed.origin}/${path}`);
      await page.getByRole('alert').getByText('The database is away.').first().waitFor();
      expect([path, await page.locator('.empty').count()]).toEqual([path, 0]);
    }
    await context.close();
  });

  test('a row that another operator makes comes into an open list, also one that is filtered', async () => {
    const { page, context, faults } = await openPage(browser);
    await signInPage(page, bed);
    await page.goto(`${bed.origin}/nodes?state=offline`);
    await page.getByText(/^\d+ in all/).waitFor();
    await isLive(page);
    const [node] = (await bed.fleet.nodes.page({ limit: 1 })).items;
    if (node === undefined) throw new Error('the sample fleet has no node');
    bed.fleet.putNode({ ...node, id: 'newcomer', name: 'newcomer', state: 'offline' });
    await page.getByRole('link', { name: 'newcomer' }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe('the session of an open page ends', () => {
  test('the log-in covers the page without a press; nothing was gathered meanwhile, and the page goes on', async () => {
    await using bed = await ApiBed.start();
    await bed.signUp();
    const { page, context } = await openPage(browser);
    await page.clock.install();
    await signInPage(page, bed);
    const [tunnel] = (await bed.fleet.tunnels.page({ limit: 1 })).items;
    await page.goto(`${bed.origin}/tunnels/${tunnel?.id ?? ''}`);
    await page.getByText('Both sides are bound').waitFor();
    await context.clearCookies();
    await page.clock.runFor(3_000);
    const dialog = page.getByRole('dialog', { name: 'Sign in to Adit' });
    await dialog.waitFor();
    await page.clock.runFor(120_000);
    await expectFewRequests(page, async () => {
      await dialog.getByLabel('Name').fill('alice');
      await dialog.getByLabel('Password').fill(adminPassword);
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await isLive(page);
    });
    await page.getByText('Both sides are bound').waitFor();
    await context.close();
  });
});

/** Fewer than a page would have gathered that asked every few seconds for two minutes. */
async function expectFewRequests(page: Page, work: () => Promise<void>): Promise<void> {
  const counts = new Map<string, number>();
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
  });
  await work();
  const most = Math.max(0, ...counts.values());
  expect(most, JSON.stringify([...counts])).toBeLessThan(15);
}

test('the manager starts anew: the page is still signed in, and goes on with the new one', async () => {
  await using first = await ManagerBed.start({ hasPage: true });
  await using proxy = await CutProxy.start(portOf(first.origin));
  const { page, context } = await openPage(browser);
  const origin = `https://127.0.0.1:${proxy.port}`;
  await signUpInPage(page, { origin, firstAdmin: first.program.firstAdmin });
  await page.getByRole('link', { name: 'Nodes', exact: true }).first().click();
  await page.getByText('No node here.').waitFor();
  await first.stop();
  await banner(page).waitFor();

  await using second = await ManagerBed.start({ hasPage: true, directory: first.directory });
  proxy.targetPort = portOf(second.origin);
  await second.fleet.nodes.create({ name: 'after-the-restart', kind: 'edge' }, admin);
  await isLive(page);
  await page.getByRole('link', { name: 'after-the-restart' }).waitFor();
  await page.getByText('alice', { exact: true }).waitFor();
  await context.close();
});
