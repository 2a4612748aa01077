import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, openPage, type OpenedPage } from '../../../support/browser.ts';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';
import { admin } from '../../../support/manager/manager-bed.ts';
import { PageOperator } from '../../../support/manager/page-operator.ts';
import { signInPage } from '../../../support/manager/page-walk.ts';
import { cookieOf } from '../../../support/manager/rest-call.ts';
import { until } from '../../../support/until.ts';

/** Two operators at once. */
let browser: Browser;
let bed: ApiBed;
let opened: OpenedPage;
let operator: PageOperator;

beforeAll(async () => {
  browser = await launchBrowser();
  bed = await ApiBed.start();
  await bed.signUp();
});

afterAll(async () => {
  await browser.close();
  await bed[Symbol.asyncDispose]();
});

beforeEach(async () => {
  opened = await openPage(browser);
  operator = new PageOperator(opened.page);
  await signInPage(opened.page, bed);
  return async () => {
    await opened.context.close();
  };
});

/** What makes an open page read the flow again. */
async function tellLegs(): Promise<void> {
  const [tunnel] = (await bed.fleet.tunnels.page({ limit: 1 })).items;
  if (tunnel !== undefined) bed.fleet.putTunnel(tunnel);
}

test('what is typed into a flow stays when another operator saves it, and does not replace that', async () => {
  const { page } = opened;
  const [flow] = (await bed.fleet.flows.page({ limit: 1 })).items;
  if (flow === undefined) throw new Error('the sample fleet has no flow');
  await page.goto(`${bed.origin}/flows/${flow.id}`);
  const name = page.getByLabel('Name');
  await until(async () => (await name.inputValue()) === flow.name, { what: 'the form' });
  await name.fill('what I typed');
  await bed.fleet.flows.patch(flow.id, { name: 'what she saved' }, null, admin);
  await tellLegs();
  await operator.sees('Somebody has changed this flow meanwhile.');
  expect(await name.inputValue()).toBe('what I typed');
  await operator.press('Save');
  await page.locator('.note.tone-bad').waitFor();
  expect(await bed.fleet.flows.get(flow.id)).toMatchObject({ name: 'what she saved' });
  await operator.press('Take the flow as it is now');
  await until(async () => (await name.inputValue()) === 'what she saved', { what: 'the newer flow' });
  await name.fill('both of us');
  await operator.press('Save');
  await operator.sees('Saved; the flow is being pushed.');
  expect(await bed.fleet.flows.get(flow.id)).toMatchObject({ name: 'both of us' });
  expect(opened.faults.filter((fault) => !fault.includes('412'))).toEqual([]);
});

test('a node is not saved over what another operator saved while its form was open', async () => {
  const { page } = opened;
  const [node] = (await bed.fleet.nodes.page({ limit: 1, q: 'venue-edge' })).items;
  if (node === undefined) throw new Error('the sample fleet has no such node');
  await page.goto(`${bed.origin}/nodes/${node.id}`);
  await operator.press('Edit');
  await page.getByRole('dialog').getByLabel('Description').fill('mine');
  await bed.fleet.nodes.patch(node.id, { name: 'renamed by her' }, null, admin);
  // The page behind the dialogue has read it.
  await page.locator('h1', { hasText: 'renamed by her' }).waitFor({ state: 'attached' });
  await operator.pressInDialog('Save');
  await page.getByRole('dialog').locator('.note.tone-bad').waitFor();
  expect((await bed.fleet.nodes.get(node.id)).name).toBe('renamed by her');
});

test('a webhook keeps what another operator saved in another field while its form was open', async () => {
  const { page } = opened;
  const token = await bed.tokenOf('admin', cookieOf(await bed.signIn('alice', adminPassword)));
  const body = { name: 'pager', url: 'https://pager.example/', triggers: ['push_failed', 'node_offline'] };
  const path = `webhooks/${String((await bed.send('POST', 'webhooks', { token, body })).body['id'])}`;
  await page.goto(`${bed.origin}/webhooks`);
  await operator.press('Edit');
  await page.getByRole('dialog').getByLabel('Name').fill('pager of the night');
  const url = 'https://other.example/';
  expect((await bed.send('PATCH', path, { token, body: { url, triggers: ['node_offline'] } })).status).toBe(200);
  await operator.pressInDialog('Save');
  await operator.sees('Saved.');
  const { items } = (await bed.send('GET', 'webhooks', { token })).body;
  expect(items).toMatchObject([{ name: 'pager of the night', url, triggers: ['node_offline'] }]);
});

test('events behind a page of equal ones are reached with a button', async () => {
  const { page } = opened;
  const [first] = await bed.fleet.events.page({ limit: 1 });
  if (first === undefined) throw new Error('the sample fleet has no event');
  bed.fleet.storeEvent({ ...first, id: 1, message: 'the older one', raised_at: first.raised_at - 1 });
  for (let id = 2; id < 700; id++)
    bed.fleet.storeEvent({ ...first, id, message: 'again', node_id: null, tunnel_id: null });
  await page.goto(`${bed.origin}/events?q=${encodeURIComponent('')}`);
  await page.getByText('× 500').waitFor();
  await operator.press('Read more');
  await page.getByText('the older one').waitFor();
});
