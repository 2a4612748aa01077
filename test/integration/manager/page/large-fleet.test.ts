import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../../../support/browser.ts';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { signInPage } from '../../../support/manager/page-walk.ts';

const mostRows = 60;
const frame = 'document.querySelector(".table-frame")';

describe('a fleet of 5 000 nodes and 20 000 legs in the page', () => {
  let bed: ApiBed;
  let browser: Browser;

  beforeAll(async () => {
    bed = await ApiBed.start({ size: { nodes: 5_000, tunnels: 5_000 } });
    await bed.signUp();
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await bed[Symbol.asyncDispose]();
  });

  test('MJ3 lists can be scrolled to their end and filtered with at most 60 rows in the document', async () => {
    const { page, context, faults } = await openPage(browser, { height: 1_400 });
    await signInPage(page, bed);
    for (const [path, label, last] of [
      ['/nodes', 'Nodes', 'venue-edge-4996'],
      ['/tunnels', 'Tunnels', 'camera-4999'],
    ] as const) {
      await page.goto(bed.origin + path);
      await page.getByText('5,000 in all').waitFor();
      const rows = () => page.evaluate<number>('document.querySelectorAll("tbody tr").length');
      expect(await rows()).toBeLessThanOrEqual(mostRows);
      await page.getByRole('region', { name: label }).waitFor();
      for (const share of [0.25, 0.5, 0.75, 1]) {
        await page.evaluate(`${frame}.scrollTop = ${frame}.scrollHeight * ${share}`);
        await page.waitForFunction('document.querySelectorAll("tbody tr:not(.spacer)").length > 10');
        expect(await rows()).toBeLessThanOrEqual(mostRows);
      }
      await page.evaluate(`${frame}.scrollTop = 0`);
      await page.getByRole('searchbox').fill(last);
      await page.getByText('1 in all').waitFor();
      expect(await page.getByRole('link', { name: last }).count()).toBe(1);
    }
    expect(faults).toEqual([]);
    await context.close();
  });

  test('a node that goes is red in an open list without a reload', async () => {
    const { page, context } = await openPage(browser);
    await signInPage(page, bed);
    await page.goto(`${bed.origin}/nodes?q=relay-fra-1`);
    await page.getByText('1 in all').waitFor();
    const [relay] = (await bed.fleet.nodes.page({ limit: 1 })).items;
    expect(await page.getByText('Offline', { exact: true }).count()).toBe(1);
    if (relay !== undefined) bed.fleet.putNode({ ...relay, state: 'offline' });
    await page.locator('td .tone-bad').getByText('Offline').waitFor();
    await context.close();
  });
});
