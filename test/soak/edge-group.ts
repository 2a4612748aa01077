import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import type { Direction, TunnelProtocol } from '../../src/protocol/tunnel/leg.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import type { QuicEngine, SocketAddress } from '../../src/quic/types.ts';
import { startEngine } from '../support/programs/engines.ts';
import { FaultyNetwork } from '../support/network/faulty-network.ts';
import type { Faults } from '../support/network/faulty-path.ts';
import { fleetTunnel } from '../support/load/fleet.ts';
import { startTestEdge, type TestEdge } from '../support/programs/test-edge.ts';

export interface GroupTunnel {
  readonly number: number;
  readonly protocol: TunnelProtocol;
  /** Where the ingress side delivers. */
  readonly farAddress: string;
}

export interface GroupOrder {
  readonly engine: EngineName;
  readonly relay: SocketAddress;
  readonly direction: Direction;
  readonly tunnels: readonly GroupTunnel[];
  /** Where egress tunnels listen. */
  readonly localIp: string;
  /** Of the network between the edge and the relay. */
  readonly faults: Partial<Faults>;
  readonly seed: number;
}

/** From one start of the edge to its death. */
interface Life {
  readonly network: FaultyNetwork;
  readonly engine: QuicEngine;
  readonly edge: TestEdge;
}

/** One edge with several tunnels, and a network and a QUIC engine of its own, so that it can die without a word and come back. */
export class EdgeGroup implements AsyncDisposable {
  readonly order: GroupOrder;
  #life: Life;

  private constructor(order: GroupOrder, life: Life) {
    this.order = order;
    this.#life = life;
  }

  static async start(order: GroupOrder): Promise<EdgeGroup> {
    return new EdgeGroup(order, await live(order, () => 0));
  }

  get ready(): number {
    return this.order.tunnels.filter((_, index) => this.#life.edge.tunnel(index).state === 'ready').length;
  }

  /** The local port of an egress tunnel; the same in every life. */
  port(index: number): number {
    return this.#life.edge.port(index);
  }

  /** The NAT before the edge forgets it. Answers how many flows have got another address. */
  async rebind(): Promise<number> {
    const { network } = this.#life;
    await network.rebind();
    return network.clients;
  }

  /** The network goes first, so that not even a goodbye reaches the relay, as when a machine loses its power. */
  async dieAndReturn(): Promise<void> {
    await this.#end();
    this.#life = await live(this.order, (index) => this.port(index));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    const { network, engine, edge } = this.#life;
    await network.stop();
    await engine.close();
    await edge.edge.stop();
  }
}

async function live(order: GroupOrder, portOf: (index: number) => number): Promise<Life> {
  const { direction, localIp, relay: target, faults, seed } = order;
  const network = await FaultyNetwork.start({ target, faults, seed });
  const engine = await startEngine(order.engine);
  const edge = await startTestEdge({
    engine,
    edgeId: `${direction}-${order.tunnels[0]?.number ?? 0}`,
    tunnels: order.tunnels.map(({ number, protocol, farAddress }, index) => ({
      id: fleetTunnel(number),
      name: `soak ${number}`,
      protocol,
      direction,
      relay_addrs: [formatSocketAddress(network.address)],
      local_addr: direction === 'ingress' ? farAddress : `${localIp}:${portOf(index)}`,
    })),
  });
  return { network, engine, edge };
}
