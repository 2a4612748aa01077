import { formatHostPort } from '../../lib/host-port.ts';
import type { Random } from '../../lib/random.ts';
import { createTunnelKit, createTunnelSecrets, type TunnelSecrets } from '../tunnel-kit.ts';
import { writeConfig, type DemoEngine, type DemoTunnel, type DemoWorld, type EdgeSide } from './demo-config.ts';

interface FileTunnel {
  readonly plan: DemoTunnel;
  readonly secrets: TunnelSecrets;
}

/** Configs of a relay and two edges that need no manager: their files name both tunnels of the plan. */
export class TunnelFiles {
  readonly #world: DemoWorld;
  readonly #engine: DemoEngine;
  readonly #tunnels: readonly FileTunnel[];

  /** Makes fresh secrets. */
  constructor(world: DemoWorld, engine: DemoEngine, random: Random) {
    this.#world = world;
    this.#engine = engine;
    this.#tunnels = [world.tcp, world.udp].map((plan) => ({ plan, secrets: createTunnelSecrets(random) }));
  }

  /** Writes the relay's. Returns its path. */
  writeRelay(): string {
    return writeConfig(this.#world, 'relay', {
      quic: { engine: this.#engine },
      quic_addrs: [formatHostPort(this.#world.relayAddr)],
      api_addrs: [formatHostPort(this.#world.apiAddr)],
      tunnels: this.#tunnels.map(({ secrets }) => ({ id: secrets.id, bind_secret: secrets.bindSecret })),
    });
  }

  /** Writes those of the edges, which trust only the relay with this certificate. Returns their paths. */
  writeEdges(relayFingerprint: string): Readonly<Record<EdgeSide, string>> {
    const relays = [formatHostPort(this.#world.relayAddr)];
    const kits = this.#tunnels.map(({ plan: { protocol, local, destination }, secrets }) => {
      const addresses = { listen: formatHostPort(local), forward: formatHostPort(destination) };
      return createTunnelKit({ name: `demo-${protocol}`, protocol, relays, ...addresses, relayFingerprint }, secrets);
    });
    const write = (side: EdgeSide): string =>
      writeConfig(this.#world, side, {
        edge_id: `demo-${side}`,
        api_addr: formatHostPort(this.#world.edgeApis[side]),
        quic: { engine: this.#engine },
        tunnels: kits.flatMap((kit) => kit[`${side}Edge`].tunnels),
      });
    return { egress: write('egress'), ingress: write('ingress') };
  }
}
