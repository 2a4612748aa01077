import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { formatSocketAddress } from '../../../src/lib/socket-address.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { SocketAddress } from '../../../src/quic/types.ts';
import { knownTunnelId } from '../samples/known-tunnel-id.ts';
import { openEngine } from '../programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../programs/test-edge.ts';

export interface FleetOrder {
  readonly engine: EngineName;
  readonly relay: SocketAddress;
  /** Two edges each, one tunnel between them. */
  readonly pairs: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Many edges of this program in one process, each with one tunnel, as an installation has them on many machines. */
export class Fleet implements AsyncDisposable {
  readonly edges: readonly TestEdge[];
  readonly #close: () => Promise<void>;

  private constructor(edges: readonly TestEdge[], close: () => Promise<void>) {
    this.edges = edges;
    this.#close = close;
  }

  static async start({ engine: name, relay, pairs, protocol }: FleetOrder): Promise<Fleet> {
    const engine = await openEngine(name);
    const relayAddrs = [formatSocketAddress(relay)];
    const edges: TestEdge[] = [];
    for (let n = 0; n < pairs; n++) {
      const id = fleetTunnel(n);
      for (const direction of ['ingress', 'egress'] as const) {
        const local = direction === 'ingress' ? '127.0.0.1:9' : '127.0.0.1:0';
        const tunnel = { id, protocol, direction, relay_addrs: relayAddrs, local_addr: local };
        edges.push(await startTestEdge({ engine, edgeId: `${direction}-${n}`, tunnels: [tunnel] }));
      }
    }
    return new Fleet(edges, () => engine.close());
  }

  get ready(): number {
    return this.edges.filter((edge) => edge.tunnel().state === 'ready').length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.edges.map((edge) => edge[Symbol.asyncDispose]()));
    await this.#close();
  }
}

export function fleetTunnel(n: number): TunnelId {
  return knownTunnelId(`f1ee7000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`);
}
