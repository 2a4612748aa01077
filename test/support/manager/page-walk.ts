import type { Page } from 'playwright-core';
import { adminPassword, type ApiBed } from './api-bed.ts';
import { sampleObserver } from './sample-fleet.ts';

export interface PageView {
  /** Names the picture. */
  readonly name: string;
  readonly path: string;
  /** Shows that the view is complete. */
  readonly sign: string;
}

/** Every page of the manager, with sample content. */
export async function pageViews(bed: ApiBed): Promise<readonly PageView[]> {
  const nodes = (await bed.fleet.nodes.page({ limit: 10 })).items;
  const tunnels = (await bed.fleet.tunnels.page({ limit: 10 })).items;
  const [flow] = (await bed.fleet.flows.page({ limit: 1 })).items;
  const [node, tunnel] = [nodes[1]?.id ?? '', tunnels[2]?.id ?? ''];
  const observer = sampleObserver(Date.now());
  bed.fleet.putNode(observer);
  return [
    { name: 'overview', path: '/', sign: 'In the last hour' },
    { name: 'nodes', path: '/nodes', sign: 'relay-ams-1' },
    { name: 'add-node', path: '/nodes/new', sign: 'Make a registration token' },
    { name: 'node', path: `/nodes/${node}`, sign: 'What this node must hold' },
    { name: 'observer', path: `/nodes/${observer.id}`, sign: '3 processes on studio-fra-3' },
    { name: 'tunnels', path: '/tunnels', sign: 'camera-1' },
    { name: 'new-tunnel', path: '/tunnels/new', sign: 'Make the tunnel' },
    { name: 'tunnel', path: `/tunnels/${tunnel}`, sign: 'Second relay' },
    { name: 'flows', path: '/flows', sign: 'Main stage' },
    { name: 'flow', path: `/flows/${flow?.id ?? ''}`, sign: 'Config (JSON)' },
    { name: 'drift', path: '/drift', sign: 'Manager wants' },
    { name: 'events', path: '/events', sign: 'Node connected to manager' },
    { name: 'removed', path: '/removed', sign: 'Kept for 30 days' },
    { name: 'audit', path: '/audit', sign: 'The chain is whole' },
    { name: 'users', path: '/users', sign: 'Who may sign in' },
    { name: 'tokens', path: '/tokens', sign: 'For programs that use the REST API' },
    { name: 'webhooks', path: '/webhooks', sign: 'Calls an address of yours' },
    { name: 'settings', path: '/settings', sign: 'ghost_after_secs' },
    { name: 'instances', path: '/instances', sign: 'manager-a' },
  ];
}

/** Goes to a view and waits until it shows its content. */
export async function visit(page: Page, bed: Pick<ApiBed, 'origin'>, { path, sign }: PageView): Promise<void> {
  await page.goto(bed.origin + path);
  await page.getByText(sign, { exact: false }).first().waitFor();
}

/** Makes the first administrator in the page, by the link that the manager printed. */
export async function signUpInPage(page: Page, bed: Pick<ApiBed, 'origin' | 'firstAdmin'>): Promise<void> {
  await page.goto(bed.origin + (bed.firstAdmin ?? ''));
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password').fill(adminPassword);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** Signs in as the administrator that `ApiBed.signUp` or `signUpInPage` made. */
export async function signInPage(page: Page, bed: Pick<ApiBed, 'origin'>): Promise<void> {
  await page.goto(bed.origin);
  await page.getByLabel('Name').fill('alice');
  await page.getByLabel('Password').fill(adminPassword);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}
