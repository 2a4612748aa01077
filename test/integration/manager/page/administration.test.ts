import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, openPage, type OpenedPage } from '../../../support/browser.ts';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';
import { PageOperator } from '../../../support/manager/page-operator.ts';
import { signInPage } from '../../../support/manager/page-walk.ts';
import { until } from '../../../support/until.ts';

let browser: Browser;
let bed: ApiBed;
let opened: OpenedPage;
let page: Page;
let operator: PageOperator;

beforeAll(async () => {
  browser = await launchBrowser();
  bed = await ApiBed.start({ config: { webhooks: { allow_private: true } } });
  await bed.signUp();
});

afterAll(async () => {
  await browser.close();
  await bed[Symbol.asyncDispose]();
});

beforeEach(async () => {
  opened = await openPage(browser);
  page = opened.page;
  operator = new PageOperator(page);
  await signInPage(page, bed);
  return async () => {
    await opened.context.close();
  };
});

const row = (name: string) => page.getByRole('row', { name: new RegExp(name) });
const dialogOf = (name: string) => page.getByRole('dialog', { name });

/** Types into a field of the open dialogue. */
async function fill(label: string, text: string): Promise<void> {
  await page.getByRole('dialog').getByLabel(label).fill(text);
}

test('a user is added, refused in words beside the field, given another role, disabled and deleted', async () => {
  await operator.follow('Users');
  await operator.press('Add user');
  await fill('Name', 'bob');
  await fill('Password', 'short');
  await operator.pressInDialog('Add');
  const password = page.getByRole('dialog').getByLabel('Password');
  await page.getByRole('dialog').locator('.hint-error').waitFor();
  expect(await password.getAttribute('aria-invalid')).toBe('true');
  await fill('Password', 'a long passphrase');
  await operator.confirm('Add');
  await page.getByLabel('Role of bob').selectOption('operator');
  await operator.sees('bob is operator now.');

  const other = await openPage(browser);
  await other.page.goto(bed.origin);
  await other.page.getByLabel('Name').fill('bob');
  await other.page.getByLabel('Password').fill('a long passphrase');
  await other.page.keyboard.press('Enter');
  await other.page.getByRole('heading', { name: 'Overview' }).waitFor();
  expect(await other.page.getByRole('link', { name: 'Users' }).count()).toBe(0);

  await row('bob').getByRole('button', { name: 'Disable' }).click();
  await row('bob').getByRole('button', { name: 'Enable' }).waitFor();
  const signIn = other.page.getByRole('dialog', { name: 'Sign in to Adit' });
  await signIn.waitFor();
  await row('bob').getByRole('button', { name: 'Enable' }).click();
  await row('bob').getByRole('button', { name: 'Password' }).click();
  await fill('Password', 'another long passphrase');
  await operator.confirm('Set');
  await signIn.getByLabel('Name').fill('bob');
  await signIn.getByLabel('Password').fill('another long passphrase');
  await signIn.getByRole('button', { name: 'Sign in' }).click();
  await signIn.waitFor({ state: 'detached' });
  await other.context.close();

  await row('bob').getByRole('button', { name: 'Delete' }).click();
  await operator.confirm('Delete');
  await row('bob').waitFor({ state: 'detached' });
  expect(await row('alice').getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true);
});

test('an API token is shown once, opens the API, and closes it once it is revoked', async () => {
  await operator.follow('API tokens');
  await operator.press('New token');
  await fill('Name', 'grafana');
  await operator.pressInDialog('Make');
  const token = (await page.locator('pre').textContent()) ?? '';
  expect(token).toMatch(/^adit_/);
  await operator.confirm('Done');
  expect(await page.getByText(token).count()).toBe(0);
  const answers = async () => (await bed.send('GET', 'overview', { token })).status;
  expect(await answers()).toBe(200);
  await row('grafana').getByRole('button', { name: 'Revoke' }).click();
  await operator.confirm('Revoke');
  await operator.sees('No token yet.');
  expect(await answers()).toBe(401);
});

describe('a webhook', () => {
  let target: Server;
  let status = 204;

  beforeAll(async () => {
    target = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    target.closeAllConnections();
    target.close();
  });

  test('is made, tried, shown as failing with the reason, and deleted', async () => {
    await operator.follow('Webhooks');
    await operator.press('New webhook');
    await fill('Name', 'pager');
    await fill('Address', 'ftp://example');
    await operator.pressInDialog('Make');
    await page.getByRole('dialog').locator('.hint-error').waitFor();
    await fill('Address', `http://127.0.0.1:${(target.address() as AddressInfo).port}/hook`);
    for (const ticked of ['Node offline', 'Push failed', 'Critical event']) await page.getByLabel(ticked).uncheck();
    await operator.pressInDialog('Make');
    await page.getByRole('dialog').getByText('Choose at least one.').waitFor();
    await page.getByLabel('Node offline').check();
    await operator.pressInDialog('Make');
    await dialogOf('Signing secret').waitFor();
    await operator.confirm('Done');
    await row('pager').getByText('Not called yet').waitFor();

    await row('pager').getByRole('button', { name: 'Test' }).click();
    await row('pager').getByText('Delivered').waitFor();
    status = 500;
    await row('pager').getByRole('button', { name: 'Test' }).click();
    await row('pager').getByText('Failing').waitFor();
    await row('pager').getByText('HTTP 500').waitFor();
    await row('pager').getByRole('button', { name: 'Edit' }).click();
    await fill('Name', 'pager of the night');
    await page.getByLabel('Drift found').check();
    await operator.confirm('Save');
    await row('pager of the night').getByText('Node offline, Drift found').waitFor();
    await row('pager').getByRole('button', { name: 'Disable' }).click();
    await row('pager').getByText('Disabled').waitFor();
    await row('pager').getByRole('button', { name: 'Delete' }).click();
    await operator.confirm('Delete');
    await operator.sees('No webhook yet.');
  });
});

test('a sign-out gives up what is being read, which is read again after the next sign-in', async () => {
  const held: Route[] = [];
  const lists = '**/api/v1/nodes?*';
  await page.route(lists, (route) => void held.push(route));
  await operator.follow('Nodes');
  await until(() => held.length > 0, { what: 'the list of nodes is asked for' });
  await operator.press('Sign out');
  await dialogOf('Sign in to Adit').waitFor();
  await page.unroute(lists);
  // What was given up cannot go on.
  for (const route of held) await route.continue().catch(() => undefined);
  await fill('Name', 'alice');
  await fill('Password', adminPassword);
  await page.keyboard.press('Enter');
  await page.getByText('in all').waitFor();
  expect(opened.faults).toEqual([]);
});

test('a press that comes twice makes one', async () => {
  await operator.follow('API tokens');
  await operator.press('New token');
  await fill('Name', 'twice');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: 'Make', exact: true })
    .evaluate((button: { click(): void }) => {
      button.click();
      button.click();
    });
  await dialogOf('API token').waitFor();
  await operator.confirm('Done');
  await row('twice').first().waitFor();
  expect(await row('twice').count()).toBe(1);
});

test('Escape closes a dialogue, and the focus is back on the button that opened it', async () => {
  await operator.follow('Users');
  const button = page.getByRole('button', { name: 'Add user' });
  await button.focus();
  await page.keyboard.press('Enter');
  await dialogOf('Add user').waitFor();
  await page.keyboard.press('Escape');
  await dialogOf('Add user').waitFor({ state: 'detached' });
  await page.waitForFunction('document.activeElement?.textContent === "Add user"');
});
