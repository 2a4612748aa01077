import type { Browser } from 'playwright-core';
import { openPage, type OpenedPage } from '../browser.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import { HandEditedEdge } from '../programs/hand-edited-edge.ts';
import { runRelay } from '../programs/running-programs.ts';
import { hastyRandom } from '../programs/test-node-link.ts';
import { admin, ManagerBed } from './manager-bed.ts';
import { PageOperator } from './page-operator.ts';
import { signInPage, signUpInPage } from './page-walk.ts';

/** A manager, a relay and two edges, each added in the page and started with the config that the page showed. */
export class PageFleet implements AsyncDisposable {
  readonly manager: ManagerBed;
  readonly opened: OpenedPage;
  readonly operator: PageOperator;
  readonly #stack: AsyncDisposableStack;
  #venue: HandEditedEdge | null = null;

  private constructor(parts: Pick<PageFleet, 'manager' | 'opened' | 'operator'>, stack: AsyncDisposableStack) {
    this.manager = parts.manager;
    this.opened = parts.opened;
    this.operator = parts.operator;
    this.#stack = stack;
  }

  static async start(browser: Browser): Promise<PageFleet> {
    await using stack = new AsyncDisposableStack();
    const manager = stack.use(await ManagerBed.start({ hasPage: true }));
    const opened = await openPage(browser);
    stack.defer(() => opened.context.close());
    const { origin, program } = manager;
    await signUpInPage(opened.page, { origin, firstAdmin: program.firstAdmin });
    const operator = new PageOperator(opened.page);
    await operator.press('Sign out');
    await signInPage(opened.page, { origin });
    const fleet = new PageFleet({ manager, opened, operator }, stack.move());
    try {
      await fleet.addRelay('relay-1');
      fleet.#venue = await fleet.addEdge('venue');
      await fleet.addEdge('studio');
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }

  get venue(): HandEditedEdge {
    if (this.#venue === null) throw new Error('the fleet has not started');
    return this.#venue;
  }

  async addRelay(name: string): Promise<void> {
    const { manager: link } = await this.operator.addNode(name, 'relay');
    const relay = this.#stack.use(await runRelay({ manager: link }, hastyRandom));
    await this.operator.sees('In sync');
    const [node] = (await this.manager.fleet.nodes.page({ limit: 1, q: name })).items;
    // The port was free only once the relay had it: what the form said is changed to that.
    await this.manager.fleet.nodes.patch(node?.id ?? '', { public_addr: relay.quicAddresses[0] ?? '' }, null, admin);
  }

  async addEdge(name: string): Promise<HandEditedEdge> {
    const edge = this.#stack.use(await HandEditedEdge.start(await this.operator.addNode(name, 'edge')));
    await this.operator.sees('In sync');
    return edge;
  }

  /** A local address that was free when it was asked for. */
  async address(): Promise<string> {
    await using socket = await LocalUdpSocket.open();
    return socket.addr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
