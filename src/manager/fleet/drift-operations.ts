import type { Actor, DriftOperations, DriftView } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { DriftRow, LegRow } from '../store/schema.ts';
import type { Page, PageQuery } from '../store/store.ts';
import type { DriftIngest } from './drift-ingest.ts';
import { driftView } from './drift-view.ts';
import type { FleetCore } from './fleet-core.ts';
import type { FleetFlows } from './flow-operations.ts';
import type { TunnelEditor } from './tunnel-editor.ts';

/** What an operator decides about a difference. Nothing of it happens by itself. */
export class FleetDrift implements DriftOperations {
  readonly #core: FleetCore;
  readonly #parts: { readonly editor: TunnelEditor; readonly flows: FleetFlows; readonly ingest: DriftIngest };

  constructor(core: FleetCore, parts: { editor: TunnelEditor; flows: FleetFlows; ingest: DriftIngest }) {
    this.#core = core;
    this.#parts = parts;
  }

  async page(query: PageQuery & { readonly nodeId?: string; readonly muted?: boolean }): Promise<Page<DriftView>> {
    const { items, next } = await this.#core.dependencies.store.drift.page(query);
    return { items: items.map(driftView), next };
  }

  async get(id: string): Promise<DriftView> {
    return driftView(await this.#row(id));
  }

  async repush(id: string, actor: Actor): Promise<DriftView> {
    const row = await this.#open(id);
    const legs = await this.#legsOf(row);
    if (row.kind === 'extraneous' || legs.length === 0) {
      throw new FleetError('conflict', 'the manager has nothing to push here');
    }
    const now = this.#core.now();
    const changed = await this.#core.change(actor, 'drift.repush', id, async (store) => {
      const rows: LegRow[] = [];
      for (const leg of legs) {
        const wanted = await store.legs.want(leg.id, { updated_at: now });
        if (wanted !== null) rows.push(wanted);
      }
      return { result: rows };
    });
    await this.#core.legsChanged(changed);
    return this.get(id);
  }

  async ingest(id: string, actor: Actor): Promise<DriftView> {
    const row = await this.#open(id);
    await this.#parts.ingest.run(row, actor);
    return this.#resolve(row, 'ingested');
  }

  async remove(id: string, from: 'node' | 'manager', actor: Actor): Promise<DriftView> {
    const row = await this.#open(id);
    if (from === 'manager') await this.#removeHere(row, actor);
    else await this.#removeThere(row, actor);
    return this.#resolve(row, `deleted from ${from}`);
  }

  async mute(id: string, actor: Actor): Promise<DriftView> {
    const row = await this.#open(id);
    await this.#core.change(actor, 'drift.mute', id, async (store) => {
      await store.drift.change(id, { muted_fingerprint: row.fingerprint });
      return { result: null };
    });
    this.#core.driftResolved(row.node_id);
    return this.get(id);
  }

  async #removeHere(row: DriftRow, actor: Actor): Promise<void> {
    if (row.kind === 'extraneous') throw new FleetError('conflict', 'the manager does not have it');
    if (row.resource === 'flow') {
      const [leg] = await this.#legsOf(row);
      if (leg?.flow_id) await this.#parts.flows.removeAs(leg.flow_id, 'operator', null, actor);
    } else await this.#parts.editor.remove(row.resource_id, null, actor);
  }

  async #removeThere(row: DriftRow, actor: Actor): Promise<void> {
    if (row.kind === 'missing') throw new FleetError('conflict', 'the node does not have it');
    await this.#core.change(actor, 'drift.delete-on-node', row.id, () => Promise.resolve({ result: null }));
    const { resource, resource_id: id, node_id: nodeId } = row;
    if (resource === 'flow') await this.#core.ask(nodeId, { type: 'delete_flow', flow_id: id });
    else if (resource === 'tunnel') await this.#core.ask(nodeId, { type: 'delete_tunnel', tunnel_id: id });
    else await this.#core.ask(nodeId, { type: 'revoke_tunnel', tunnel_id: id });
  }

  async #resolve(row: DriftRow, resolution: string): Promise<DriftView> {
    const { store } = this.#core.dependencies;
    const resolved = await store.drift.change(row.id, { resolved_at: this.#core.now(), resolution });
    this.#core.driftResolved(row.node_id);
    return driftView(resolved ?? (await this.#row(row.id)));
  }

  /** The legs of this node that the difference is about. */
  async #legsOf({ node_id: nodeId, resource, resource_id: id }: DriftRow): Promise<readonly LegRow[]> {
    const { store } = this.#core.dependencies;
    if (resource !== 'flow') {
      return (await store.legs.ofTunnels([id])).filter((leg) => leg.node_id === nodeId && leg.want === 'present');
    }
    const flows = (await store.flows.ofNode(nodeId)).filter((flow) => flow.flow_id === id && flow.removed_at === null);
    return store.legs.ofFlows(flows.map((flow) => flow.id));
  }

  async #open(id: string): Promise<DriftRow> {
    const row = await this.#row(id);
    if (row.resolved_at !== null) throw new FleetError('conflict', 'this difference is resolved already');
    return row;
  }

  async #row(id: string): Promise<DriftRow> {
    const row = await this.#core.dependencies.store.drift.get(id);
    if (row === null) throw new FleetError('not_found', `there is no difference ${id}`);
    return row;
  }
}
