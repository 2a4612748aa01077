import { errorMessage } from '../../lib/app-error.ts';
import type { Logger } from '../../lib/logger.ts';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import { isRelayRole, type PlanLeg } from '../reconcile/plan-leg.ts';
import {
  authorizeTunnel,
  createTunnel,
  edgeTunnel,
  forgetOnRelay,
  relayDigest,
  type TunnelKeys,
} from '../reconcile/wire-action.ts';
import type { Sealing } from '../secrets/sealing.ts';
import { openKeys } from '../secrets/tunnel-keys.ts';
import type { FlowRow, LegRow, TunnelRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** Below the 5 000 parameters of a statement. */
const idsPerQuery = 1000;

interface Facts {
  readonly tunnels: ReadonlyMap<string, TunnelRow>;
  readonly relayAddrs: ReadonlyMap<string, readonly string[]>;
  readonly flows: ReadonlyMap<string, FlowRow>;
  readonly waiting: Waiting;
}

/** Tunnels whose legs are not all recorded yet. */
interface Waiting {
  readonly forRelays: Set<string>;
  readonly forEdges: Set<string>;
}

/** Reads legs with all that a plan must know of them, and builds what is sent for them. */
export class LegReader {
  readonly #store: Store;
  readonly #sealing: Sealing;
  readonly #logger: Logger;
  readonly #onlineNodes: (ids: readonly string[]) => Promise<ReadonlySet<string>>;

  constructor(
    { store, sealing, logger }: { store: Store; sealing: Sealing; logger: Logger },
    onlineNodes: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
  ) {
    this.#store = store;
    this.#sealing = sealing;
    this.#logger = logger;
    this.#onlineNodes = onlineNodes;
  }

  async ofNode(nodeId: string): Promise<PlanLeg[]> {
    return this.plan(await this.#store.legs.ofNode(nodeId));
  }

  async plan(rows: readonly LegRow[]): Promise<PlanLeg[]> {
    const facts = await this.#facts(rows);
    return rows.flatMap((row) => {
      const leg = this.#toPlan(row, facts);
      return leg === null ? [] : [leg];
    });
  }

  /** What to send for a leg; null while its keys are not known. Several are sent one after the other. */
  async actions(row: LegRow): Promise<readonly CommandAction[] | null> {
    const { tunnels, relayAddrs, flows } = await this.#facts([row]);
    if (row.flow_id !== null) {
      const flow = flows.get(row.flow_id);
      if (flow === undefined) return null;
      if (row.want === 'absent') return [{ type: 'delete_flow', flow_id: flow.flow_id }];
      return [{ type: 'update_flow', flow_id: flow.flow_id, flow: asJsonObject(parseJson(flow.config)) ?? {} }];
    }
    const tunnel = tunnels.get(row.tunnel_id ?? '');
    if (tunnel === undefined) return null;
    const isRelay = isRelayRole(row.role);
    if (row.want === 'absent')
      return isRelay ? forgetOnRelay(tunnel.id) : [{ type: 'delete_tunnel', tunnel_id: tunnel.id }];
    const keys = this.#keys(tunnel);
    if (keys === null) return null;
    if (isRelay) return [authorizeTunnel(tunnel, keys.bindSecret)];
    return [createTunnel(edgeTunnel(tunnel, row.role, relayAddrs.get(tunnel.id) ?? []), keys)];
  }

  /** Those of the tunnels for whose relays, or edges, nothing needs to wait any more. */
  async settledTunnels(
    ids: readonly string[],
  ): Promise<{ readonly edgesMayGo: string[]; readonly relaysMayGo: string[] }> {
    const { forRelays, forEdges } = await this.#waitingTunnels(ids);
    return {
      edgesMayGo: ids.filter((id) => !forRelays.has(id)),
      relaysMayGo: ids.filter((id) => !forEdges.has(id)),
    };
  }

  async #facts(rows: readonly LegRow[]): Promise<Facts> {
    const tunnelIds = [...new Set(rows.flatMap(({ tunnel_id: id }) => (id === null ? [] : [id])))];
    const tunnels = new Map<string, TunnelRow>();
    const relayAddrs = new Map<string, string[]>();
    for (const ids of chunks(tunnelIds)) {
      for (const tunnel of await this.#store.tunnels.all(ids)) tunnels.set(tunnel.id, tunnel);
      for (const { tunnel_id: id, relay_addr: addr } of await this.#store.tunnels.relays(ids)) {
        relayAddrs.set(id, [...(relayAddrs.get(id) ?? []), addr]);
      }
    }
    const flows = new Map<string, FlowRow>();
    for (const nodeId of new Set(rows.flatMap((row) => (row.flow_id === null ? [] : [row.node_id])))) {
      for (const flow of await this.#store.flows.ofNode(nodeId)) flows.set(flow.id, flow);
    }
    const held = rows.filter((row) => row.push_status !== 'pushed');
    const heldIds = [...new Set(held.flatMap(({ tunnel_id: id }) => (id === null ? [] : [id])))];
    return { tunnels, relayAddrs, flows, waiting: await this.#waitingTunnels(heldIds) };
  }

  /**
   * Relay legs that are not recorded yet hold edge legs, while their relay is online. Edge legs that are not pushed
   * hold relay legs that go, also those of an edge that is away: it may carry traffic through that relay.
   */
  async #waitingTunnels(ids: readonly string[]): Promise<Waiting> {
    const waiting: Waiting = { forRelays: new Set(), forEdges: new Set() };
    for (const chunk of chunks(ids)) {
      const legs = await this.#store.legs.ofTunnels(chunk);
      const open = legs.filter(({ want, push_status: status }) => want === 'present' && status !== 'pushed');
      const relayLegs = open.filter(({ role, push_status: status }) => isRelayRole(role) && status !== 'failed');
      const online = await this.#onlineNodes([...new Set(relayLegs.map(({ node_id: id }) => id))]);
      for (const { tunnel_id: id, node_id: nodeId } of relayLegs) {
        if (id !== null && online.has(nodeId)) waiting.forRelays.add(id);
      }
      for (const { tunnel_id: id, role } of open) if (id !== null && !isRelayRole(role)) waiting.forEdges.add(id);
    }
    return waiting;
  }

  #toPlan(row: LegRow, { tunnels, relayAddrs, flows, waiting }: Facts): PlanLeg | null {
    const base = {
      id: row.id,
      role: row.role,
      want: row.want,
      generation: row.generation,
      pushedGeneration: row.pushed_generation,
      status: row.push_status,
      error: row.push_error,
      errorCode: row.push_error_code,
      failedForMs: row.failed_for_ms,
    };
    if (row.flow_id !== null) {
      const flow = flows.get(row.flow_id);
      if (flow === undefined) return null;
      const desired = asJsonObject(parseJson(flow.config));
      const rest = { pushable: true, waitsForOthers: false, digest: null, desired };
      return { ...base, resource: 'flow', resourceId: flow.flow_id, name: flow.name, ...rest };
    }
    const tunnel = tunnels.get(row.tunnel_id ?? '');
    if (tunnel === undefined) return null;
    const isRelay = isRelayRole(row.role);
    const keys = this.#keys(tunnel);
    return {
      ...base,
      resource: 'tunnel',
      resourceId: tunnel.id,
      name: tunnel.name,
      pushable: keys !== null,
      waitsForOthers: waitsForOthers(row, tunnel, waiting),
      digest: isRelay && keys !== null ? relayDigest(tunnel.id, keys.bindSecret) : null,
      desired: isRelay || row.want === 'absent' ? null : edgeTunnel(tunnel, row.role, relayAddrs.get(tunnel.id) ?? []),
    };
  }

  /** A row that was damaged fails alone: its tunnel is as one whose keys are not known. */
  #keys(tunnel: TunnelRow): TunnelKeys | null {
    try {
      return openKeys(this.#sealing, tunnel);
    } catch (error) {
      this.#logger.error({ tunnel: tunnel.id, problem: errorMessage(error) }, 'the keys of a tunnel cannot be read');
      return null;
    }
  }
}

function waitsForOthers(row: LegRow, tunnel: TunnelRow, { forRelays, forEdges }: Waiting): boolean {
  if (isRelayRole(row.role)) return row.want === 'absent' && tunnel.removed_at === null && forEdges.has(tunnel.id);
  return row.want === 'present' && forRelays.has(tunnel.id);
}

function chunks(ids: readonly string[]): (readonly string[])[] {
  const parts = [];
  for (let from = 0; from < ids.length; from += idsPerQuery) parts.push(ids.slice(from, from + idsPerQuery));
  return parts;
}
