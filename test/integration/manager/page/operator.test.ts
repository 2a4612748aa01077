import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, openPage, type OpenedPage } from '../../../support/browser.ts';
import { admin, ManagerBed } from '../../../support/manager/manager-bed.ts';
import { PageOperator } from '../../../support/manager/page-operator.ts';
import { signInPage, signUpInPage } from '../../../support/manager/page-walk.ts';
import { LocalUdpSocket } from '../../../support/peers/local-udp.ts';
import { HandEditedEdge } from '../../../support/programs/hand-edited-edge.ts';
import { runRelay } from '../../../support/programs/running-programs.ts';
import { hastyRandom } from '../../../support/programs/test-node-link.ts';
import { until } from '../../../support/until.ts';

const slowMachineMs = 90_000;
const ready = 'Every part is in place, and both ends say that the tunnel is ready.';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

interface Fleet extends AsyncDisposable {
  readonly manager: ManagerBed;
  readonly venue: HandEditedEdge;
  readonly opened: OpenedPage;
  readonly operator: PageOperator;
  /** Free when it was asked for. */
  readonly address: () => Promise<string>;
}

/** A manager, a relay and two edges, each added in the page and started with the config that the page showed. */
async function fleetFromPage(): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const manager = stack.use(await ManagerBed.start({ hasPage: true }));
  const opened = await openPage(browser);
  stack.defer(() => opened.context.close());
  opened.page.setDefaultTimeout(slowMachineMs);
  const { origin, program } = manager;
  await signUpInPage(opened.page, { origin, firstAdmin: program.firstAdmin });
  const operator = new PageOperator(opened.page);
  await operator.press('Sign out');
  await signInPage(opened.page, { origin });
  const { manager: link } = await operator.addNode('relay-1', 'relay');
  const relay = stack.use(await runRelay({ manager: link }, hastyRandom));
  await operator.sees('In sync');
  const [node] = (await manager.fleet.nodes.page({ limit: 1 })).items;
  // The port was free only once the relay had it: what the form said is changed to that.
  await manager.fleet.nodes.patch(node?.id ?? '', { public_addr: relay.quicAddresses[0] ?? '' }, null, admin);
  const venue = stack.use(await HandEditedEdge.start(await operator.addNode('venue', 'edge')));
  await operator.sees('In sync');
  stack.use(await HandEditedEdge.start(await operator.addNode('studio', 'edge')));
  await operator.sees('In sync');
  const running = stack.move();
  const address = async (): Promise<string> => {
    await using socket = await LocalUdpSocket.open();
    return socket.addr;
  };
  return { manager, venue, opened, operator, address, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

test('MJ1 nodes are added, a tunnel is made, broken and mended, keys and secret change, all in the page', async () => {
  await using fleet = await fleetFromPage();
  const { operator, opened, manager, address } = fleet;
  const [first, second] = [await address(), await address()];
  const ends = { source: 'venue', destination: 'studio', forward: await address() };
  await operator.makeTunnel({ name: 'camera', listen: first, ...ends });
  await operator.sees(ready);
  await operator.makeTunnel({ name: 'backup', listen: second, ...ends });
  await operator.sees(ready);

  await operator.listenOn(first);
  const source = opened.page.locator('.station.tone-bad[data-role="ingress"]');
  await source.getByText('Failed', { exact: true }).waitFor();
  await source.locator('.station-error').waitFor();
  expect(await source.locator('.station-error').textContent()).toContain(first);
  await operator.listenOn(second);
  await operator.sees(ready);

  await operator.press('Rotate keys');
  await operator.confirm('Make new keys');
  await operator.sees(ready);
  await operator.press('Remove');
  await operator.confirm('Remove');
  await operator.follow('Recently removed');
  await opened.page
    .getByRole('row', { name: /backup/ })
    .getByRole('button', { name: 'Restore' })
    .click();
  await operator.openTunnel('backup');
  await operator.sees(ready);

  await operator.follow('venue');
  await operator.press('Rotate secret');
  await operator.confirm('Rotate');
  const { items } = await manager.fleet.nodes.page({ limit: 10, q: 'venue' });
  await until(async () => (await manager.fleet.nodes.get(items[0]?.id ?? '')).secrets.length === 2, {
    what: 'a second secret',
  });
  await operator.press('Sign out');
  await opened.page.getByRole('dialog', { name: 'Sign in to Adit' }).waitFor();
  expect(opened.faults).toEqual([]);
}, 400_000);

test('MJ1 a file edited by hand is shown by its field; nothing is sent until the operator has chosen', async () => {
  await using fleet = await fleetFromPage();
  const { operator, opened, manager, venue, address } = fleet;
  const wanted = await address();
  const ends = { source: 'venue', destination: 'studio', forward: await address() };
  await operator.makeTunnel({ name: 'camera', listen: wanted, ...ends });
  await operator.sees(ready);
  const pushes = async (): Promise<readonly string[]> => {
    const metrics = await (await opened.page.request.get(`${manager.origin}/metrics`)).text();
    return metrics.split('\n').filter((line) => /^adit_manager_commands_total.*(tunnel|flow)/.test(line));
  };
  const difference = opened.page.getByRole('article', { name: 'camera on venue' });
  /** Edits the file, sees the field on the page, and finds that nothing was sent. */
  const edit = async (): Promise<string> => {
    const before = await pushes();
    const actual = await address();
    await venue.edit({ local_addr: actual });
    await operator.follow('Drift');
    const row = difference.getByRole('row', { name: /local_addr/ });
    await row.getByText(actual).waitFor();
    await row.getByText(wanted).waitFor();
    expect(await pushes()).toEqual(before);
    expect(await venue.localAddresses()).toEqual([actual]);
    return actual;
  };
  const choose = async (action: string): Promise<void> => {
    await difference.getByRole('button', { name: action, exact: true }).click();
    await operator.confirm(action);
    await difference.waitFor({ state: 'detached' });
  };

  await edit();
  await choose('Re-push');
  await until(async () => (await venue.localAddresses())[0] === wanted, { what: 'the node has what is wanted' });

  const ignored = await edit();
  await choose('Ignore this difference');
  expect(await venue.localAddresses()).toEqual([ignored]);
  await operator.press('Ignored ones too');
  await difference.getByText('Ignored', { exact: true }).waitFor();

  await edit();
  await choose('Delete on the node');
  await until(async () => (await venue.localAddresses()).length === 0, { what: 'the node has no tunnel' });
  await operator.openTunnel('camera');
  await operator.sees(wanted);
  await operator.follow('Drift');
  await operator.press('Ignored ones too');
  await opened.page.getByRole('article', { name: 'camera on venue' }).getByText('Missing').waitFor();
  await choose('Re-push');
  await until(async () => (await venue.localAddresses())[0] === wanted, { what: 'the node has it again' });

  const accepted = await edit();
  await choose('Accept the node’s');
  await operator.openTunnel('camera');
  await operator.sees(accepted);
  await operator.sees(ready);
  expect(await venue.localAddresses()).toEqual([accepted]);
  expect(opened.faults).toEqual([]);
}, 400_000);
