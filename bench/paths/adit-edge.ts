import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { parseSocketAddress } from '../../src/lib/socket-address.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import type { SocketAddress } from '../../src/quic/types.ts';
import { Child } from '../child.ts';
import { pause } from './media-flow.ts';

const readyDeadlineMs = 60_000;
const pollMs = 100;

interface EdgeSettings {
  readonly root: string;
  readonly engine: EngineName;
  readonly tunnels: readonly object[];
  readonly folder: string;
  /** What starts it on another machine, whose loopback is its own: its API cannot be asked from here. */
  readonly wrapper?: readonly string[];
}

interface TunnelAnswer {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly local_addr: string;
  readonly outgoing: { readonly drops: Drops };
  readonly incoming: { readonly drops: Drops };
}

/** Datagrams by the reason for which an edge dropped them. */
type Drops = Readonly<Record<string, number>>;

/** An `adit edge` with its tunnels, as an operator starts it. */
export class Edge implements AsyncDisposable {
  readonly #child: Child;
  readonly #api: string;

  private constructor(child: Child, api: string) {
    this.#child = child;
    this.#api = api;
  }

  static async start(name: string, settings: EdgeSettings): Promise<Edge> {
    const { root, engine, tunnels, folder, wrapper = [] } = settings;
    mkdirSync(folder);
    const api = `127.0.0.1:${await freePort()}`;
    const configPath = join(folder, 'edge.json');
    const config = { edge_id: name, quic: { engine }, api_addr: api, state_dir: join(folder, 'state'), tunnels };
    writeFileSync(configPath, JSON.stringify(config), { mode: 0o600 });
    const [command, ...args] = [...wrapper, join(root, 'bin', 'adit'), 'edge', '-c', configPath];
    const child = new Child({
      name: `adit edge, ${name}`,
      command,
      args,
      logPath: join(folder, 'edge.log'),
    });
    const edge = new Edge(child, api);
    try {
      await child.says(/"msg":"edge started"/);
      return edge;
    } catch (error) {
      await edge[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What the edge has dropped of all tunnels, from and to local programs. */
  async drops(): Promise<readonly { readonly outgoing: Drops; readonly incoming: Drops }[]> {
    const tunnels = await this.#tunnels();
    return tunnels.map(({ outgoing, incoming }) => ({ outgoing: outgoing.drops, incoming: incoming.drops }));
  }

  /** Waits until every tunnel is up. Returns where each takes local datagrams. */
  async awaitReady(): Promise<ReadonlyMap<string, SocketAddress>> {
    const deadlineMs = performance.now() + readyDeadlineMs;
    for (;;) {
      const tunnels = await this.#tunnels();
      const missing = tunnels.filter(({ state }) => state !== 'ready');
      if (missing.length === 0) return new Map(tunnels.map((each) => [each.id, addressOf(each.local_addr)]));
      if (performance.now() > deadlineMs) {
        throw new Error(
          `tunnels that are not up: ${missing.map(({ name, state }) => `${name} (${state})`).join(', ')}`,
        );
      }
      await pause(pollMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  async #tunnels(): Promise<readonly TunnelAnswer[]> {
    const answer = await fetch(`http://${this.#api}/api/v1/tunnels`);
    return (await answer.json()) as readonly TunnelAnswer[];
  }
}

/** Throws for what is no address. */
export function addressOf(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address === null) throw new Error(`no address: ${text}`);
  return address;
}
