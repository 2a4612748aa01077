import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, openPage } from '../../../support/browser.ts';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { pageViews, signInPage, visit } from '../../../support/manager/page-walk.ts';

const hostile = [
  '<img src=x onerror="document.title=\'owned\'">',
  '"><script>document.title="owned"</script>',
  '\u202Egnp.exe\u2066 right to left',
  'x'.repeat(10_000),
];

describe('names that nodes and operators choose', () => {
  let bed: ApiBed;
  let browser: Browser;

  beforeAll(async () => {
    bed = await ApiBed.start();
    await bed.signUp();
    browser = await launchBrowser();
    const nodes = (await bed.fleet.nodes.page({ limit: 500 })).items;
    const tunnels = (await bed.fleet.tunnels.page({ limit: 500 })).items;
    for (const [index, name] of hostile.entries()) {
      const [node, tunnel] = [nodes[index + 1], tunnels[index + 2]];
      if (node !== undefined)
        bed.fleet.putNode({ ...node, name, description: name, software_version: name.slice(0, 256) });
      if (tunnel !== undefined) bed.fleet.putTunnel({ ...tunnel, name, push_error: name, placement_reason: name });
      const [event] = await bed.fleet.events.page({ limit: 1 });
      if (event !== undefined)
        bed.fleet.storeEvent({ ...event, id: 2_000 + index, message: name, category: name.slice(0, 256) });
    }
  });

  afterAll(async () => {
    await browser.close();
    await bed[Symbol.asyncDispose]();
  });

  test('MJ4 stay text on every page, and no page grows wider than the window', async () => {
    const { page, context, faults } = await openPage(browser);
    await signInPage(page, bed);
    for (const view of await pageViews(bed)) {
      if (view.name === 'nodes' || view.name === 'tunnels') continue;
      await visit(page, bed, view.name === 'events' ? { ...view, sign: hostile[0] ?? '' } : view);
      expect(await page.title()).not.toBe('owned');
      expect(await page.evaluate('document.querySelectorAll("#app img, #app script").length')).toBe(0);
      expect([view.name, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([view.name, 1_440]);
    }
    for (const path of ['/nodes', '/tunnels']) {
      await page.goto(bed.origin + path);
      await page
        .getByText(hostile[0] ?? '', { exact: true })
        .first()
        .waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(1_440);
    }
    expect(faults).toEqual([]);
    await context.close();
  });

  test('MJ4 a name that turns text around is isolated from what stands beside it', async () => {
    const { page, context } = await openPage(browser);
    await signInPage(page, bed);
    await page.goto(`${bed.origin}/nodes?q=${encodeURIComponent('right to left')}`);
    await page.locator('bdi', { hasText: 'right to left' }).first().waitFor();
    const bare = `[...document.querySelectorAll('td a, td small')].filter((one) => one.textContent.includes('right to left')
      && one.querySelector('bdi') === null).length`;
    expect(await page.evaluate(bare)).toBe(0);
    await context.close();
  });
});
