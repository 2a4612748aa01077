import { mkdir, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { launchBrowser, openPage } from '../browser.ts';
import { adminPassword } from './api-bed.ts';
import { cookieOf, sameOrigin } from './rest-call.ts';
import { pageViews, signUpInPage, visit, type PageView } from './page-walk.ts';
import { bedWithPast } from './sample-past.ts';

/**
 * `npm run screenshots`: a picture of every page of the manager with a sample fleet, into docs/img/. Those that an
 * operator watches also dark and as on a telephone.
 */
const folder = new URL('../../../docs/img/', import.meta.url);
const otherLooks = [
  { suffix: 'dark', options: { theme: 'dark' } },
  { suffix: 'narrow', options: { width: 390, height: 844 } },
] as const;
const inOtherLooks = ['overview', 'tunnel', 'flows', 'drift'];
/** Of ten minutes, as much as the manager keeps. */
const reportsOfStats = 120;
/** Charts, fonts and the first live message. */
const settleMs = 1_200;

await mkdir(folder, { recursive: true });
/** The settings page shows where a packaged manager keeps its files, not this run's folder. */
const stateDir = '/var/lib/adit';
await using bed = await bedWithPast(reportsOfStats, {
  config: { state_dir: stateDir, database: { url: `sqlite:${stateDir}/manager.db` } },
});
const browser = await launchBrowser();
try {
  const first = await openPage(browser);
  await signUpInPage(first.page, bed);
  await fillAdministration();
  const views = await pageViews(bed);
  for (const view of views) {
    if (view.name === 'removed') await removeOne();
    await takePicture(first.page, view, view.name);
  }
  const cookies = await first.context.cookies();
  for (const { suffix, options } of otherLooks) {
    const other = await openPage(browser, options);
    await other.context.addCookies(cookies);
    for (const view of views.filter(({ name }) => inOtherLooks.includes(name))) {
      await takePicture(other.page, view, `${view.name}-${suffix}`);
    }
  }
} finally {
  await browser.close();
}

async function takePicture(page: Page, view: PageView, name: string): Promise<void> {
  await visit(page, bed, view);
  await page.waitForTimeout(settleMs);
  await writeFile(new URL(`${name}.png`, folder), await page.screenshot());
}

/** A tunnel, so that there is one to restore. */
async function removeOne(): Promise<void> {
  const { items } = await bed.fleet.tunnels.page({ limit: 10 });
  const cookie = cookieOf(await bed.signIn('alice', adminPassword));
  await bed.send('DELETE', `tunnels/${items.at(-1)?.id ?? ''}`, { cookie, headers: sameOrigin });
}

/** Users, tokens and a webhook, so that those pages show something. */
async function fillAdministration(): Promise<void> {
  const cookie = cookieOf(await bed.signIn('alice', adminPassword));
  const post = (path: string, body: object) => bed.send('POST', path, { cookie, headers: sameOrigin, body });
  await post('users', { name: 'bob', password: 'a long passphrase 1', role: 'operator' });
  await post('users', { name: 'carol', password: 'a long passphrase 2', role: 'viewer' });
  await post('api-tokens', { name: 'grafana', role: 'viewer' });
  await post('webhooks', {
    name: 'pager',
    url: 'https://hooks.example/adit',
    triggers: ['node_offline', 'push_failed'],
  });
}
