import { asJsonObject, parseJson } from '../../lib/json.ts';
import { withSecretsOf } from '../../lib/masked-secrets.ts';
import type { Actor, NewTunnelInput } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { DriftRow, NodeRow, TunnelRow } from '../store/schema.ts';
import { readFields } from './drift-view.ts';
import type { FleetCore } from './fleet-core.ts';
import type { FleetFlows } from './flow-operations.ts';
import { applyLegs, markPushed } from './leg-ledger.ts';
import type { TunnelEditor } from './tunnel-editor.ts';

type Fields = Readonly<Record<string, unknown>>;

interface End {
  readonly nodeId: string;
  readonly entry: Fields;
}

/** Takes what a node has into the manager. Keys are never invented: a tunnel from a node keeps those that it has. */
export class DriftIngest {
  readonly #core: FleetCore;
  readonly #parts: { readonly editor: TunnelEditor; readonly flows: FleetFlows };

  constructor(core: FleetCore, parts: { editor: TunnelEditor; flows: FleetFlows }) {
    this.#core = core;
    this.#parts = parts;
  }

  async run(row: DriftRow, actor: Actor): Promise<void> {
    if (row.kind === 'missing') throw new FleetError('conflict', 'the node has nothing to take over');
    if (row.resource === 'authorisation') throw new FleetError('conflict', 'tokens cannot be taken over from a relay');
    if (row.resource === 'flow') await this.#flow(row, actor);
    else if (row.kind === 'mismatched') await this.#changedTunnel(row, actor);
    else await this.#newTunnel(row, actor);
  }

  async #flow(row: DriftRow, actor: Actor): Promise<void> {
    const config = await this.#entry(row, 'flows');
    if (row.kind === 'extraneous') {
      await this.#parts.flows.adopt({ node_id: row.node_id, config }, actor);
      return;
    }
    const flows = await this.#core.dependencies.store.flows.ofNode(row.node_id);
    const flow = flows.find((known) => known.flow_id === row.resource_id && known.removed_at === null);
    if (flow === undefined) throw new FleetError('conflict', 'the manager does not have this flow any more');
    const stored = asJsonObject(parseJson(flow.config));
    const merged = { ...stored, ...asJsonObject(withSecretsOf(config, stored)) };
    await this.#parts.flows.patch(flow.id, { config: merged }, null, actor);
  }

  /** Only what differs, and only what the manager itself keeps of a tunnel. */
  async #changedTunnel(row: DriftRow, actor: Actor): Promise<void> {
    const tunnel = await this.#parts.editor.row(row.resource_id);
    const isSource = tunnel.source_node_id === row.node_id;
    const change: { -readonly [K in keyof NewTunnelInput]?: NewTunnelInput[K] } = {};
    for (const { path, actual } of readFields(row.fields)) {
      if (path === 'name' && typeof actual === 'string') change.name = actual;
      else if (path === 'local_addr' && typeof actual === 'string') {
        if (isSource) change.source = { node_id: row.node_id, listen: actual };
        else change.destination = { node_id: row.node_id, forward: actual };
      } else if (path === 'protocol' && (actual === 'tcp' || actual === 'udp')) change.protocol = actual;
      else throw new FleetError('conflict', `${path} of a tunnel cannot be taken over from one of its ends`);
    }
    await this.#parts.editor.patch(tunnel.id, change, null, actor);
  }

  /** Needs both ends: the other one is looked for among what other nodes have and the manager does not know. */
  async #newTunnel(row: DriftRow, actor: Actor): Promise<void> {
    const { store } = this.#core.dependencies;
    const other = await this.#otherEnd(row);
    if (other === null) {
      const mend = 'take it over once the node with its other end is connected, or make it here';
      throw new FleetError('conflict', `only one end of this tunnel is known; ${mend}`);
    }
    const ends: End[] = [];
    for (const end of [row, other]) ends.push({ nodeId: end.node_id, entry: await this.#entry(end, 'tunnels') });
    const source = ends.find(({ entry }) => entry['direction'] === 'egress');
    const destination = ends.find(({ entry }) => entry['direction'] === 'ingress');
    if (source === undefined || destination === undefined) {
      throw new FleetError('conflict', 'both ends of this tunnel have one direction');
    }
    await this.#insert(row, source, destination, actor);
    await store.drift.change(other.id, { resolved_at: this.#core.now(), resolution: 'ingested' });
    this.#core.driftResolved(other.node_id);
  }

  async #insert(row: DriftRow, source: End, destination: End, actor: Actor): Promise<void> {
    const { store } = this.#core.dependencies;
    const now = this.#core.now();
    const tunnel = tunnelOf(row, source, destination, now);
    const relays = relaysOf(source.entry, await store.nodes.all());
    const legs = await this.#core.change(actor, 'drift.ingest', row.id, async (inside) => {
      await inside.tunnels.insert(tunnel);
      const rows = relays.map(({ id, addr }, position) => ({
        ...{ tunnel_id: tunnel.id, position, relay_node_id: id, relay_addr: addr },
      }));
      await inside.tunnels.setRelays(tunnel.id, rows);
      const wanted = [
        { role: 'ingress' as const, nodeId: source.nodeId },
        { role: 'egress' as const, nodeId: destination.nodeId },
      ];
      const made = await applyLegs(inside, { tunnelId: tunnel.id }, wanted, now);
      // The nodes have them already; pushing would need the keys.
      await markPushed(inside, made);
      return { result: await inside.legs.ofTunnels([tunnel.id]), after: { tunnel: tunnel.id } };
    });
    await this.#core.legsChanged(legs);
  }

  async #otherEnd(row: DriftRow): Promise<DriftRow | null> {
    const { store } = this.#core.dependencies;
    for (const { id } of await store.nodes.all()) {
      if (id === row.node_id) continue;
      const found = (await store.drift.openOf(id)).find(
        (other) => other.resource === 'tunnel' && other.kind === 'extraneous' && other.resource_id === row.resource_id,
      );
      if (found !== undefined) return found;
    }
    return null;
  }

  /** The resource as the node has it now. */
  async #entry(row: DriftRow, list: 'tunnels' | 'flows'): Promise<Fields> {
    const config = asJsonObject(await this.#core.ask(row.node_id, { type: 'get_config' }));
    const entries = Array.isArray(config?.[list]) ? (config[list] as readonly unknown[]) : [];
    const entry = entries
      .map(asJsonObject)
      .find((fields) => textOf(fields ?? {}, 'id')?.toLowerCase() === row.resource_id.toLowerCase());
    if (!entry) throw new FleetError('conflict', 'the node does not have it any more');
    return entry;
  }
}

function tunnelOf(row: DriftRow, source: End, destination: End, now: number): TunnelRow {
  return {
    id: row.resource_id,
    name: textOf(source.entry, 'name') ?? row.name,
    description: '',
    protocol: source.entry['protocol'] === 'tcp' ? 'tcp' : 'udp',
    transport: 'quic',
    mode: 'relay',
    placement: 'fixed',
    region: null,
    placement_reason: null,
    source_node_id: source.nodeId,
    source_listen: textOf(source.entry, 'local_addr') ?? '',
    destination_node_id: destination.nodeId,
    destination_forward: textOf(destination.entry, 'local_addr') ?? '',
    encryption_key_sealed: null,
    bind_secret_sealed: null,
    keys_created_at: null,
    keys_unknown_at: now,
    generation: 1,
    paused_at: null,
    removed_at: null,
    removed_by: null,
    created_at: now,
    updated_at: now,
  };
}

/** The id is empty where no known relay reports the address. */
function relaysOf(entry: Fields, nodes: readonly NodeRow[]): { readonly id: string; readonly addr: string }[] {
  const list: readonly unknown[] = Array.isArray(entry['relay_addrs']) ? entry['relay_addrs'] : [entry['relay_addr']];
  const addrs = list.filter((addr) => typeof addr === 'string');
  return addrs.slice(0, 2).map((addr) => {
    const known = nodes.find(
      (node) => node.public_addr === addr || (node.last_health ?? '').includes(JSON.stringify(addr)),
    );
    return { id: known?.id ?? '', addr };
  });
}

function textOf(fields: Fields, key: string): string | null {
  const value = fields[key];
  return typeof value === 'string' ? value : null;
}
