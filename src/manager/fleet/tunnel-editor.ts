import { withoutKeys } from '../../lib/without-keys.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Actor, DrainView, NewTunnelInput } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import { newSecret } from '../secrets/node-secret.ts';
import { sealKeys } from '../secrets/tunnel-keys.ts';
import type { LegRow, NewTunnel, TunnelChange, TunnelRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { FleetCore } from './fleet-core.ts';
import { applyLegs, type WantedLeg } from './leg-ledger.ts';
import type { ChosenRelay, RelayPlaces } from './relay-places.ts';
import { localAddress, refuseFlowOverTcp, refuseUnsupported, tunnelFields, tunnelName } from './tunnel-input.ts';

interface Placed {
  readonly relays: readonly ChosenRelay[];
  readonly placement: 'fixed' | 'auto';
  readonly placement_reason: string | null;
  readonly region: string | null;
}

/** Changes what tunnels should be; the reconciler brings it to the nodes. */
export class TunnelEditor {
  readonly #core: FleetCore;
  readonly #places: RelayPlaces;

  constructor(core: FleetCore, places: RelayPlaces) {
    this.#core = core;
    this.#places = places;
  }

  async create(input: NewTunnelInput, actor: Actor): Promise<string> {
    const now = this.#core.now();
    const id = parseTunnelId(input.id ?? this.#core.newId());
    if (id === null) throw new FleetError('invalid', 'id is not a UUID');
    if ((await this.#core.dependencies.store.tunnels.get(id)) !== null) {
      throw new FleetError('conflict', `there is a tunnel ${id} already, perhaps among those recently removed`);
    }
    refuseUnsupported(input);
    refuseFlowOverTcp(input.protocol, [input.source.listen, input.destination.forward]);
    await this.#checkEnds(input.source.node_id, input.destination.node_id);
    const { relays, ...placement } = await this.#place(input.relays, input.region ?? null);
    // One at each relay and each end.
    await this.#core.refuseTooManyLegs(relays.length + 2);
    const row: NewTunnel = {
      id,
      ...placement,
      name: tunnelName(input.name),
      description: input.description ?? '',
      protocol: input.protocol,
      transport: 'quic',
      mode: 'relay',
      source_node_id: input.source.node_id,
      source_listen: localAddress(input.source.listen, 'source.listen', 0),
      destination_node_id: input.destination.node_id,
      destination_forward: localAddress(input.destination.forward, 'destination.forward', 1),
      ...this.#newKeys(id, now),
      generation: 1,
      created_at: now,
      updated_at: now,
    };
    const legs = await this.#core.change(actor, 'tunnel.create', id, async (store) => {
      await store.tunnels.insert(row);
      return { result: await this.#applyRelays(store, id, row, relays), after: input };
    });
    await this.#core.legsChanged(legs);
    return id;
  }

  async patch(id: string, change: Partial<NewTunnelInput>, generation: number | null, actor: Actor): Promise<void> {
    const before = await this.row(id);
    if (before.removed_at !== null) throw new FleetError('conflict', 'this tunnel was removed; restore it first');
    refuseUnsupported(change);
    refuseFlowOverTcp(change.protocol ?? before.protocol, [
      change.source?.listen ?? before.source_listen,
      change.destination?.forward ?? before.destination_forward,
    ]);
    await this.#checkEnds(
      change.source?.node_id ?? before.source_node_id,
      change.destination?.node_id ?? before.destination_node_id,
    );
    const { relays, ...placement } = (await this.#placeAnew(before, change)) ?? { relays: null };
    await this.#write(
      before,
      { ...tunnelFields(change), ...placement },
      relays,
      generation,
      'tunnel.patch',
      actor,
      change,
    );
  }

  async remove(id: string, generation: number | null, actor: Actor): Promise<void> {
    await this.removeAs(id, 'operator', generation, actor);
  }

  /**
   * Soft: it can be restored for 30 days. Every node that may hold it gets a command to delete it. False when it was
   * gone.
   */
  async removeAs(id: string, by: 'operator' | 'ghost', generation: number | null, actor: Actor): Promise<boolean> {
    const before = await this.row(id);
    if (before.removed_at !== null) return false;
    const now = this.#core.now();
    const legs = await this.#core.change(actor, 'tunnel.remove', id, async (store) => {
      const change = { removed_at: now, removed_by: by, generation: before.generation + 1, updated_at: now };
      // Exactly one of several removals at once.
      const row = await store.tunnels.change(id, change, generation ?? before.generation);
      if (row === null) throw stale();
      return {
        result: await applyLegs(store, { tunnelId: id }, [], now),
        before: { name: before.name },
        after: { by },
      };
    });
    await this.#core.legsChanged(legs);
    return true;
  }

  async restore(id: string, actor: Actor): Promise<void> {
    const before = await this.row(id);
    if (before.removed_at === null) throw new FleetError('conflict', 'this tunnel was not removed');
    const { relays, ...placement } = (await this.#placeBack(before)) ?? { relays: null };
    const change = { removed_at: null, removed_by: null, ...placement };
    await this.#write(before, change, relays, null, 'tunnel.restore', actor, {});
  }

  async setPaused(id: string, paused: boolean, actor: Actor): Promise<void> {
    const before = await this.row(id);
    if (before.removed_at !== null) throw new FleetError('conflict', 'this tunnel was removed');
    const change = { paused_at: paused ? this.#core.now() : null };
    await this.#write(before, change, null, null, paused ? 'tunnel.pause' : 'tunnel.resume', actor, {});
  }

  async rotateKeys(id: string, actor: Actor): Promise<void> {
    const before = await this.row(id);
    if (before.removed_at !== null) throw new FleetError('conflict', 'this tunnel was removed; restore it first');
    await this.#write(before, this.#newKeys(id, this.#core.now()), null, null, 'tunnel.rotate-keys', actor, {});
  }

  /** Failed legs become pending: they are pushed at once, whatever the pause between tries. */
  async retry(id: string, actor: Actor): Promise<void> {
    const { store } = this.#core.dependencies;
    const legs = await store.legs.ofTunnels([id]);
    await this.#core.change(actor, 'tunnel.retry', id, () => Promise.resolve({ result: null }));
    const failed = legs.filter(({ push_status: status }) => status === 'failed');
    const rows = await Promise.all(failed.map((leg) => store.legs.want(leg.id, { updated_at: this.#core.now() })));
    await this.#core.legsChanged(rows.filter((row) => row !== null));
  }

  /**
   * Moves the `auto` tunnels of a relay: each is authorised at its new relay first, then its edges change over, then
   * the old relay forgets it.
   */
  async drain(nodeId: string, draining: boolean, actor: Actor): Promise<DrainView> {
    const { store, feed } = this.#core.dependencies;
    const node = await this.#core.node(nodeId);
    if (node.kind !== 'relay') throw new FleetError('invalid', `${node.name} is not a relay`);
    await this.#core.change(actor, draining ? 'node.drain' : 'node.undrain', nodeId, async (inside) => {
      await inside.nodes.change(nodeId, { draining_at: draining ? this.#core.now() : null });
      return { result: null };
    });
    feed.node(nodeId);
    if (!draining) return { moved: [], kept: [] };
    const moved: string[] = [];
    const kept: { tunnel_id: string; reason: string }[] = [];
    for (const tunnel of await store.tunnels.using(nodeId)) {
      const reason = await this.#moveAway(tunnel, nodeId, actor);
      if (reason === null) moved.push(tunnel.id);
      else kept.push({ tunnel_id: tunnel.id, reason });
    }
    return { moved, kept };
  }

  async row(id: string): Promise<TunnelRow> {
    const row = await this.#core.dependencies.store.tunnels.get(id);
    if (row === null) throw new FleetError('not_found', `there is no tunnel ${id}`);
    return row;
  }

  /** Null when it was moved, otherwise why not. */
  async #moveAway(tunnel: TunnelRow, nodeId: string, actor: Actor): Promise<string | null> {
    if (tunnel.placement === 'fixed') return 'its relays were chosen by hand';
    try {
      const relays = await this.#core.dependencies.store.tunnels.relays([tunnel.id]);
      const others = relays.map(({ relay_node_id: id }) => id).filter((id) => id !== nodeId);
      const { relays: chosen, ...placement } = await this.#auto(tunnel.region, new Set(others));
      await this.#write(tunnel, placement, chosen, null, 'tunnel.move', actor, { from: nodeId });
      return null;
    } catch (error) {
      if (error instanceof FleetError) return error.message;
      throw error;
    }
  }

  async #write(
    before: TunnelRow,
    change: TunnelChange,
    relays: readonly ChosenRelay[] | null,
    generation: number | null,
    action: string,
    actor: Actor,
    after: unknown,
  ): Promise<void> {
    const next = { ...change, generation: before.generation + 1, updated_at: this.#core.now() };
    const legs = await this.#core.change(actor, action, before.id, async (store) => {
      const row = await store.tunnels.change(before.id, next, generation ?? before.generation);
      if (row === null) throw stale();
      const shown = withoutKeys(before, 'encryption_key_sealed', 'bind_secret_sealed');
      return { result: await this.#applyRelays(store, before.id, row, relays), before: shown, after };
    });
    await this.#core.legsChanged(legs);
  }

  /** `relays` null: those that are stored. */
  async #applyRelays(
    store: Store,
    id: string,
    row: Pick<TunnelRow, 'source_node_id' | 'destination_node_id'> & { readonly paused_at?: number | null },
    relays: readonly ChosenRelay[] | null,
  ): Promise<readonly LegRow[]> {
    const stored = relays?.map(({ nodeId, address }, position) => ({
      ...{ tunnel_id: id, position, relay_node_id: nodeId, relay_addr: address },
    }));
    if (stored !== undefined) await store.tunnels.setRelays(id, stored);
    const inForce = stored ?? (await store.tunnels.relays([id]));
    const roles = ['relay', 'secondary_relay'] as const;
    const wanted: WantedLeg[] = [
      ...inForce
        .filter(({ relay_node_id: nodeId }) => nodeId !== '')
        .map(({ relay_node_id: nodeId, position }) => ({ role: roles[position] ?? 'secondary_relay', nodeId })),
      { role: 'ingress', nodeId: row.source_node_id },
      { role: 'egress', nodeId: row.destination_node_id },
    ];
    const paused = row.paused_at !== null && row.paused_at !== undefined;
    return applyLegs(store, { tunnelId: id }, paused ? [] : wanted, this.#core.now());
  }

  async #checkEnds(source: string, destination: string): Promise<void> {
    if (source === destination) {
      throw new FleetError('invalid', 'source and destination must be two nodes', { field: 'destination.node_id' });
    }
    for (const [end, id] of Object.entries({ source, destination })) {
      const node = await this.#core.node(id);
      if (node.kind === 'relay' || node.kind === 'observer') {
        const message = `${node.name} is of kind ${node.kind}; a tunnel ends at edges`;
        throw new FleetError('invalid', message, { field: `${end}.node_id` });
      }
    }
  }

  async #place(relays: NewTunnelInput['relays'], region: string | null): Promise<Placed> {
    if (relays === 'auto') return this.#auto(region);
    return { relays: await this.#places.named(relays), placement: 'fixed', placement_reason: null, region };
  }

  async #auto(region: string | null, keep?: ReadonlySet<string>): Promise<Placed> {
    const { relays, reason } = await this.#places.choose(region, keep);
    const chosen = relays.map(({ id, address }) => ({ nodeId: id, address: address ?? '' }));
    return { relays: chosen, placement: 'auto', placement_reason: reason, region };
  }

  async #placeAnew(before: TunnelRow, { relays, region }: Partial<NewTunnelInput>): Promise<Placed | null> {
    const wanted = region === undefined ? before.region : region;
    if (relays !== undefined) return this.#place(relays, wanted);
    return region !== undefined && before.placement === 'auto' ? this.#auto(wanted) : null;
  }

  /**
   * New relays for a tunnel that comes back without some of its own; null where it has them all. Rejects with
   * FleetError `conflict` where a node that it cannot do without was deleted.
   */
  async #placeBack({ id, source_node_id, destination_node_id, placement, region }: TunnelRow): Promise<Placed | null> {
    const { store } = this.#core.dependencies;
    const relays = (await store.tunnels.relays([id]))
      .map(({ relay_node_id }) => relay_node_id)
      .filter((relay) => relay !== '');
    const there = new Set(
      (await store.nodes.all([source_node_id, destination_node_id, ...relays])).map((node) => node.id),
    );
    const mend = 'make the tunnel anew';
    if (!there.has(source_node_id)) throw new FleetError('conflict', `its source node was deleted; ${mend}`);
    if (!there.has(destination_node_id)) throw new FleetError('conflict', `its destination node was deleted; ${mend}`);
    if (relays.every((relay) => there.has(relay))) return null;
    if (placement === 'fixed') throw new FleetError('conflict', `a relay of it was deleted; ${mend}`);
    return this.#auto(region);
  }

  #newKeys(id: string, now: number) {
    const { random, sealing } = this.#core.dependencies;
    const keys = { encryptionKey: newSecret(random), bindSecret: newSecret(random) };
    return { ...sealKeys(sealing, id, keys), keys_created_at: now };
  }
}

function stale(): FleetError {
  return new FleetError('stale', 'somebody has changed this tunnel meanwhile; read it again');
}
