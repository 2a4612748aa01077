import { asJsonObject, parseJson } from '../../lib/json.ts';
import type { NewTunnelInput } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { NodeRow } from '../store/schema.ts';
import type { FleetCore } from './fleet-core.ts';
import { choosePlacement, whyNoRelay, type Placement, type RelayCandidate } from './placement.ts';

const atRelays = { field: 'relays' } as const;

/** A relay of a tunnel and what its edges dial. */
export interface ChosenRelay {
  readonly nodeId: string;
  readonly address: string;
}

/** The relays that tunnels can be put on. */
export class RelayPlaces {
  readonly #core: FleetCore;

  constructor(core: FleetCore) {
    this.#core = core;
  }

  async choose(region: string | null, keep?: ReadonlySet<string>): Promise<Placement> {
    const candidates = await this.#candidates();
    const placement = choosePlacement(candidates, region, keep);
    if (placement === null) throw new FleetError('conflict', whyNoRelay(candidates), atRelays);
    return placement;
  }

  /** The relays that an operator named, with the addresses that they report where none was given. */
  async named(relays: Exclude<NewTunnelInput['relays'], 'auto'>): Promise<readonly ChosenRelay[]> {
    if (relays.length < 1 || relays.length > 2)
      throw new FleetError('invalid', 'a tunnel has one relay or two', atRelays);
    if (new Set(relays.map(({ node_id: id }) => id)).size < relays.length) {
      throw new FleetError('invalid', 'a tunnel cannot have one relay twice', atRelays);
    }
    return Promise.all(
      relays.map(async ({ node_id: nodeId, relay_addr: given }) => {
        const node = await this.#core.node(nodeId);
        if (node.kind === 'edge' && node.protocol_version !== null) {
          throw new FleetError('invalid', `${node.name} is an edge, not a relay`, atRelays);
        }
        const address = given ?? this.#addressOf(node);
        if (address !== null) return { nodeId, address };
        const mend = 'set public_quic_addr in its config, or relay_addr here';
        const message = `relay ${node.name} reports no address that edges can dial; ${mend}`;
        throw new FleetError('invalid', message, atRelays);
      }),
    );
  }

  async #candidates(): Promise<readonly RelayCandidate[]> {
    const { store, leaseMs, instanceId } = this.#core.dependencies;
    const [nodes, sessions, counts] = await Promise.all([
      store.nodes.all(),
      store.sessions.live(leaseMs, instanceId()),
      store.tunnels.countByRelay(),
    ]);
    const online = new Set(sessions.map(({ node_id: id }) => id));
    return nodes.flatMap((node) => {
      if (node.kind !== 'relay' || node.disabled_at !== null) return [];
      return [
        {
          id: node.id,
          name: node.name,
          region: node.region,
          online: online.has(node.id),
          healthy: this.#health(node)['status'] !== 'degraded',
          draining: node.draining_at !== null,
          address: this.#addressOf(node),
          tunnels: counts.get(node.id) ?? 0,
          maxTunnels: node.max_tunnels,
        },
      ];
    });
  }

  #addressOf(node: NodeRow): string | null {
    if (node.public_addr !== null) return node.public_addr;
    const reported = this.#health(node)['public_quic_addr'];
    return typeof reported === 'string' && reported !== '' ? reported : null;
  }

  #health(node: NodeRow): Readonly<Record<string, unknown>> {
    const live = this.#core.dependencies.roster.get(node.id)?.health?.payload;
    return live ?? asJsonObject(parseJson(node.last_health ?? '{}')) ?? {};
  }
}
