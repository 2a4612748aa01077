import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../../../support/browser.ts';
import { PageFleet } from '../../../support/manager/page-fleet.ts';
import { until } from '../../../support/until.ts';

const ready = 'Every part is in place, and both ends say that the tunnel is ready.';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test('MJ1 nodes are added, a tunnel is made, broken and mended, keys and secret change, all in the page', async () => {
  await using fleet = await PageFleet.start(browser);
  const { operator, opened, manager } = fleet;
  const [first, second] = [await fleet.address(), await fleet.address()];
  const ends = { source: 'venue', destination: 'studio', forward: await fleet.address() };
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
  await using fleet = await PageFleet.start(browser);
  const { operator, opened, manager, venue } = fleet;
  const wanted = await fleet.address();
  const ends = { source: 'venue', destination: 'studio', forward: await fleet.address() };
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
    const actual = await fleet.address();
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

test('a relay is drained: its tunnels move to another one, those that cannot are named, and it is taken back', async () => {
  await using fleet = await PageFleet.start(browser);
  const { operator, opened } = fleet;
  const ends = { source: 'venue', destination: 'studio', forward: await fleet.address() };
  await operator.makeTunnel({ name: 'camera', listen: await fleet.address(), ...ends });
  await operator.sees(ready);

  await operator.openNode('relay-1');
  await operator.press('Drain');
  await operator.pressInDialog('Move its tunnels away');
  await opened.page.getByRole('dialog', { name: '1 tunnel could not move' }).waitFor();
  await operator.confirm('Done');
  await operator.press('Stop draining');
  await opened.page.getByRole('button', { name: 'Drain', exact: true }).waitFor();

  await fleet.addRelay('relay-2');
  await operator.openNode('relay-1');
  await operator.press('Drain');
  await operator.confirm('Move its tunnels away');
  await opened.page.getByText('Draining', { exact: true }).waitFor();
  await operator.openTunnel('camera');
  await opened.page.locator('.station[data-role="relay"]').getByText('relay-2').waitFor();
  await operator.sees(ready);
  expect(opened.faults).toEqual([]);
}, 400_000);

test('a tunnel is paused and goes on; a disabled node is let in again; every step is in the audit trail', async () => {
  await using fleet = await PageFleet.start(browser);
  const { operator, opened } = fleet;
  const ends = { source: 'venue', destination: 'studio', forward: await fleet.address() };
  await operator.makeTunnel({ name: 'camera', listen: await fleet.address(), ...ends });
  await operator.sees(ready);
  await operator.press('Pause');
  await opened.page.locator('.lead').getByText('Paused', { exact: true }).waitFor();
  await until(async () => (await fleet.venue.localAddresses()).length === 0, { what: 'the edge has no tunnel' });
  await operator.press('Resume');
  await operator.sees(ready);

  await operator.openNode('venue');
  await operator.press('Disable');
  await operator.confirm('Disable');
  await opened.page.locator('.lead').getByText('Disabled', { exact: true }).waitFor();
  await operator.press('Enable');
  await opened.page.locator('.lead').getByText('Online', { exact: true }).waitFor();

  await operator.follow('Audit');
  await operator.sees(/The chain is whole/);
  for (const action of ['tunnel.pause', 'tunnel.resume', 'node.disable']) await operator.sees(action);
  await operator.press('tunnel.pause');
  await opened.page.getByRole('dialog', { name: 'tunnel.pause' }).getByText('camera').first().waitFor();
  await operator.confirm('Close');
  expect(opened.faults).toEqual([]);
}, 400_000);
