import type { Page } from 'playwright-core';
import type { ConfigKeys } from '../programs/running-programs.ts';

export interface TunnelForm {
  readonly name: string;
  readonly source: string;
  readonly listen: string;
  readonly destination: string;
  readonly forward: string;
}

/** What an operator does in the manager's page, with the words that stand there. */
export class PageOperator {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** A page of the navigation may have a number behind its name: "Drift 1 open". */
  async follow(link: string): Promise<void> {
    const name = new RegExp(`^${link}(\\s*\\d+ open)?$`);
    await this.page.getByRole('link', { name }).first().click();
  }

  async press(button: string): Promise<void> {
    await this.page.getByRole('button', { name: button, exact: true }).click();
  }

  async pressInDialog(button: string): Promise<void> {
    await this.page.getByRole('dialog').getByRole('button', { name: button, exact: true }).click();
  }

  /** Presses a button of the dialogue that is open, and waits until it is closed. */
  async confirm(button: string): Promise<void> {
    await this.pressInDialog(button);
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Returns the config file that the page shows for the new node. */
  async addNode(name: string, kind: 'relay' | 'edge'): Promise<ConfigKeys> {
    await this.follow('Nodes');
    await this.follow('Add node');
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Kind').selectOption(kind);
    if (kind === 'relay') await this.page.getByLabel('Public address').fill('127.0.0.1:4433');
    await this.press('Make a registration token');
    await this.sees('Waiting for the node…');
    return JSON.parse((await this.page.getByLabel('Config', { exact: true }).textContent()) ?? '') as ConfigKeys;
  }

  async makeTunnel({ name, source, listen, destination, forward }: TunnelForm): Promise<void> {
    await this.follow('Tunnels');
    await this.follow('New tunnel');
    await this.page.getByLabel('Name').fill(name);
    await this.page.getByLabel('Source edge').selectOption({ label: source });
    await this.page.getByLabel('Listens on').fill(listen);
    await this.page.getByLabel('Destination edge').selectOption({ label: destination });
    await this.page.getByLabel('Forwards to').fill(forward);
    await this.press('Make the tunnel');
    await this.page.getByRole('heading', { name, exact: true }).waitFor();
  }

  /** Gives the tunnel whose page is open another address to listen on. */
  async listenOn(address: string): Promise<void> {
    await this.follow('Edit');
    await this.page.getByLabel('Listens on').fill(address);
    await this.press('Save');
  }

  async openTunnel(name: string): Promise<void> {
    await this.follow('Tunnels');
    await this.follow(name);
  }

  async openNode(name: string): Promise<void> {
    await this.follow('Nodes');
    await this.follow(name);
    await this.page.getByRole('heading', { name, exact: true }).waitFor();
  }
}
