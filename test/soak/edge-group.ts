import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import type { Direction, TunnelProtocol } from '../../src/protocol/leg.ts';
import type { EngineName, QuicEngine, SocketAddress } from '../../src/quic/types.ts';
import { startEngine } from '../support/engines.ts';
import { fleetTunnel } from '../support/load/fleet.ts';
import { startTestEdge, type TestEdge } from '../support/test-edge.ts';

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
}

/** One edge with several tunnels and a QUIC engine of its own, so that it can die without a word and come back. */
export class EdgeGroup implements AsyncDisposable {
  readonly order: GroupOrder;
  #engine: QuicEngine;
  #edge: TestEdge;
  #deaths = 0;

  private constructor(order: GroupOrder, engine: QuicEngine, edge: TestEdge) {
    this.order = order;
    this.#engine = engine;
    this.#edge = edge;
  }

  static async start(order: GroupOrder): Promise<EdgeGroup> {
    const engine = await startEngine(order.engine);
    return new EdgeGroup(order, engine, await startEdge(order, engine));
  }

  get deaths(): number {
    return this.#deaths;
  }

  get ready(): number {
    return this.order.tunnels.filter((_, index) => this.#edge.tunnel(index).state === 'ready').length;
  }

  /** The local port of an egress tunnel now; another one after a death. */
  port(index: number): number {
    return this.#edge.port(index);
  }

  /** The sockets go first, so that nothing is said to the relay, as when a machine loses its power. */
  async dieAndReturn(): Promise<void> {
    this.#deaths += 1;
    await this.#engine.close();
    await this.#edge.edge.stop();
    this.#engine = await startEngine(this.order.engine);
    this.#edge = await startEdge(this.order, this.#engine);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#edge.edge.stop();
    await this.#engine.close();
  }
}

function startEdge({ relay, direction, tunnels }: GroupOrder, engine: QuicEngine): Promise<TestEdge> {
  return startTestEdge({
    engine,
    edgeId: `${direction}-${tunnels[0]?.number ?? 0}`,
    tunnels: tunnels.map(({ number, protocol, farAddress }) => ({
      id: fleetTunnel(number),
      name: `soak ${number}`,
      protocol,
      direction,
      relay_addrs: [formatSocketAddress(relay)],
      local_addr: direction === 'ingress' ? farAddress : '127.0.0.1:0',
    })),
  });
}
