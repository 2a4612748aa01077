import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, openPage, type OpenedPage } from '../../../support/browser.ts';
import { adminPassword, type ApiBed } from '../../../support/manager/api-bed.ts';
import { pageViews, signInPage, signUpInPage, visit, type PageView } from '../../../support/manager/page-walk.ts';
import { bedWithPast } from '../../../support/manager/sample-past.ts';

const axePath = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));

/** Where a dialogue is opened, and by which button. */
const dialogs = [
  ['/users', 'Add user'],
  ['/tokens', 'New token'],
  ['/webhooks', 'New webhook'],
  ['/drift', 'Re-push'],
] as const;

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

describe('every page of the manager', () => {
  let bed: ApiBed;
  let browser: Browser;
  let views: readonly PageView[];

  beforeAll(async () => {
    bed = await bedWithPast(2);
    browser = await launchBrowser();
    views = await pageViews(bed);
    const first = await openPage(browser);
    await signUpInPage(first.page, bed);
    expect(first.faults).toEqual([]);
    await first.context.close();
  });

  afterAll(async () => {
    await browser.close();
    await bed[Symbol.asyncDispose]();
  });

  async function signedIn(options: Parameters<typeof openPage>[1]): Promise<OpenedPage> {
    const opened = await openPage(browser, options);
    await signInPage(opened.page, bed);
    return opened;
  }

  test.each(['light', 'dark'] as const)(
    'MJ2 axe finds nothing serious in %s, and no error is logged',
    async (theme) => {
      const { page, context, faults } = await signedIn({ theme });
      // Trusted Types forbid adding a script by its text to the page itself: the debugger's door is used instead.
      await page.addInitScript({ path: axePath });
      const serious: string[] = [];
      const look = async (name: string) => {
        const violations = await page.evaluate<Violation[]>(
          '(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations)()',
        );
        const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        serious.push(...found.map(({ id, nodes }) => `${name}: ${id}: ${nodes[0]?.html ?? ''}`));
      };
      for (const view of views) {
        await visit(page, bed, view);
        await look(view.name);
      }
      for (const [path, button] of dialogs) {
        await page.goto(bed.origin + path);
        await page.getByRole('button', { name: button, exact: true }).first().click();
        await page.getByRole('dialog').waitFor();
        await look(`${path}: ${button}`);
      }
      expect(serious).toEqual([]);
      expect(faults).toEqual([]);
      await context.close();
    },
  );

  test('a flow shows its health, its parts and curves from the stats of its edge', async () => {
    const { page, context, faults } = await signedIn({});
    const view = views.find(({ name }) => name === 'flow');
    if (view === undefined) throw new Error('there is no view of a flow');
    await visit(page, bed, view);
    await page.getByText('17 continuity errors').waitFor();
    await page.getByRole('row', { name: /archive srt.*connecting/ }).waitFor();
    await page.getByText('Warning', { exact: true }).first().waitFor();
    await page.getByRole('img', { name: /^Bit rate: bit rate 8[.]2/ }).waitFor();
    await page.getByRole('img', { name: /^Continuity errors: continuity errors 0/ }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('the list of flows shows health, bit rate, errors and a picture of the last minutes of each', async () => {
    const { page, context, faults } = await signedIn({});
    await page.goto(`${bed.origin}/flows`);
    const flow = page.getByRole('row', { name: /Main stage/ });
    await flow.getByText('Warning', { exact: true }).waitFor();
    await flow.getByText('8.2 Mbit/s', { exact: true }).waitFor();
    await flow.getByText('17', { exact: true }).waitFor();
    await flow.getByRole('img', { name: /^Last 1 min: 8[.]2 Mbit\/s to 8[.]\d Mbit\/s, 0 % healthy/ }).waitFor();
    const silent = page.getByRole('row', { name: /Backup/ });
    await silent.getByText('Not reported').waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test('every page fits 360 pixels', async () => {
    const { page, context, faults } = await signedIn({ width: 360, height: 780 });
    for (const view of views) {
      await visit(page, bed, view);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      expect([view.name, width]).toEqual([view.name, 360]);
    }
    expect(faults).toEqual([]);
    await context.close();
  });

  test('MJ2 a node is added by keyboard alone', async () => {
    const { page, context } = await signedIn({});
    const press = async (key: string, until: () => Promise<boolean>) => {
      for (let presses = 0; presses < 60 && !(await until()); presses += 1) await page.keyboard.press(key);
      expect(await until()).toBe(true);
    };
    const focused = (text: string) => async () =>
      (await page.evaluate<string>('document.activeElement?.textContent ?? ""')).trim() === text;
    await press('Tab', focused('Skip to the page'));
    await press('Tab', focused('Nodes'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    await press('Tab', focused('Add node'));
    await page.keyboard.press('Enter');
    await press('Tab', () => page.evaluate<boolean>('document.activeElement?.tagName === "INPUT"'));
    await page.keyboard.type('by-keyboard');
    await page.keyboard.press('Enter');
    await page.getByText('Waiting for the node').waitFor();
    expect(await page.getByLabel('Config').first().textContent()).toContain('registration_token');
    await context.close();
  });

  test('a log-in covers the page when the session ends, and keeps what was typed', async () => {
    const { page, context } = await signedIn({});
    await page.goto(`${bed.origin}/nodes/new`);
    await page.getByLabel('Name').fill('typed-before');
    await context.clearCookies();
    await page.getByRole('button', { name: 'Make a registration token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('alice');
    await dialog.getByLabel('Password').fill(adminPassword);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Waiting for the node').waitFor();
    const added = (await bed.fleet.nodes.page({ limit: 500, q: 'typed-before' })).items;
    expect(added).toHaveLength(1);
    await context.close();
  });
});
