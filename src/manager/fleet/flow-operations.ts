import { parseJson } from '../../lib/json.ts';
import { maskSecrets, unmaskSecrets } from '../../lib/masked-secrets.ts';
import type { Actor, FlowOperations, FlowView, NewFlowInput } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { FlowChange, FlowRow } from '../store/schema.ts';
import type { Page, Store, TunnelQuery } from '../store/store.ts';
import type { FleetCore } from './fleet-core.ts';
import { applyLegs, markPushed } from './leg-ledger.ts';
import { flowView } from './views.ts';

const maxConfigChars = 1_000_000;

/** What can be done with managed flows. */
export class FleetFlows implements FlowOperations {
  readonly #core: FleetCore;

  constructor(core: FleetCore) {
    this.#core = core;
  }

  async page(query: TunnelQuery): Promise<Page<FlowView>> {
    const { store } = this.#core.dependencies;
    const { items, next } = await store.flows.page(query);
    const legs = Map.groupBy(await store.legs.ofFlows(items.map(({ id }) => id)), ({ flow_id: id }) => id ?? '');
    return { items: items.map((row) => flowView(row, legs.get(row.id) ?? [])), next };
  }

  async get(id: string): Promise<FlowView> {
    return flowView(await this.#row(id), await this.#core.dependencies.store.legs.ofFlows([id]));
  }

  create(input: NewFlowInput, actor: Actor): Promise<FlowView> {
    return this.#make(input, actor, false);
  }

  /** Takes over what the node has already. It is not pushed: nodes leave their secrets out of what they show. */
  adopt(input: NewFlowInput, actor: Actor): Promise<FlowView> {
    return this.#make(input, actor, true);
  }

  async #make(input: NewFlowInput, actor: Actor, isThere: boolean): Promise<FlowView> {
    const { flowId, text } = configOf(input.config, null);
    await this.#core.node(input.node_id);
    const now = this.#core.now();
    const id = this.#core.newId();
    await this.#core.refuseTooManyLegs(1);
    const row: FlowRow = {
      id,
      node_id: input.node_id,
      flow_id: flowId,
      name: nameOf(input, flowId),
      config: text,
      generation: 1,
      removed_at: null,
      removed_by: null,
      created_at: now,
      updated_at: now,
    };
    const legs = await this.#core.change(actor, 'flow.create', id, async (store) => {
      await takePlace(store, row);
      await store.flows.insert(row);
      const made = await applyLegs(store, { flowId: id }, [{ role: 'flow', nodeId: row.node_id }], now);
      if (isThere) await markPushed(store, made);
      return { result: await store.legs.ofFlows([id]) };
    });
    await this.#core.legsChanged(legs);
    return this.get(id);
  }

  async patch(id: string, change: Partial<NewFlowInput>, generation: number | null, actor: Actor): Promise<FlowView> {
    const before = await this.#row(id);
    const config = change.config === undefined ? null : configOf(change.config, before.config);
    if (config !== null && config.flowId !== before.flow_id) {
      throw new FleetError('invalid', 'the id of a flow cannot change; make another flow');
    }
    const next = {
      ...(change.node_id !== undefined && { node_id: (await this.#core.node(change.node_id)).id }),
      ...(config !== null && { config: config.text }),
      ...((change.name !== undefined || config !== null) && { name: nameOf(change, before.name) }),
    };
    await this.#write(before, next, generation, 'flow.patch', actor);
    return this.get(id);
  }

  async remove(id: string, generation: number | null, actor: Actor): Promise<FlowView> {
    await this.removeAs(id, 'operator', generation, actor);
    return this.get(id);
  }

  /** False when it was removed before. */
  async removeAs(id: string, by: 'operator' | 'ghost', generation: number | null, actor: Actor): Promise<boolean> {
    const before = await this.#row(id);
    if (before.removed_at !== null) return false;
    await this.#write(before, { removed_at: this.#core.now(), removed_by: by }, generation, 'flow.remove', actor);
    return true;
  }

  async restore(id: string, actor: Actor): Promise<FlowView> {
    const before = await this.#row(id);
    if (before.removed_at === null) throw new FleetError('conflict', 'this flow was not removed');
    if ((await this.#core.dependencies.store.nodes.get(before.node_id)) === null) {
      throw new FleetError('conflict', 'its node was deleted; make the flow anew');
    }
    await this.#write(before, { removed_at: null, removed_by: null }, null, 'flow.restore', actor);
    return this.get(id);
  }

  async retry(id: string, actor: Actor): Promise<FlowView> {
    await this.#write(await this.#row(id), {}, null, 'flow.retry', actor);
    return this.get(id);
  }

  async #write(
    before: FlowRow,
    change: FlowChange,
    generation: number | null,
    action: string,
    actor: Actor,
  ): Promise<void> {
    const now = this.#core.now();
    const next = { ...change, generation: before.generation + 1, updated_at: now };
    const legs = await this.#core.change(actor, action, before.id, async (store) => {
      const { node_id = before.node_id, removed_at = before.removed_at } = change;
      await takePlace(store, { ...before, node_id, removed_at });
      const row = await store.flows.change(before.id, next, generation ?? before.generation);
      if (row === null) throw new FleetError('stale', 'somebody has changed this flow meanwhile; read it again');
      const wanted = row.removed_at === null ? [{ role: 'flow' as const, nodeId: row.node_id }] : [];
      const result = await applyLegs(store, { flowId: row.id }, wanted, now);
      return { result, before: { name: before.name, removed_at: before.removed_at }, after: shown(change) };
    });
    await this.#core.legsChanged(legs);
  }

  async #row(id: string): Promise<FlowRow> {
    const row = await this.#core.dependencies.store.flows.get(id);
    if (row === null) throw new FleetError('not_found', `there is no flow ${id}`);
    return row;
  }
}

/**
 * Makes sure that the flow is the only one with its id on its node, whoever else makes or restores one meanwhile. What
 * was removed there under this id needs no command to delete it any more: it would delete this one.
 */
async function takePlace(
  store: Store,
  { id, node_id, flow_id, removed_at }: Pick<FlowRow, 'id' | 'node_id' | 'flow_id' | 'removed_at'>,
): Promise<void> {
  if (removed_at !== null) return;
  await store.flows.lock();
  const others = (await store.flows.ofNode(node_id)).filter((flow) => flow.id !== id && flow.removed_at === null);
  if (others.some((flow) => flow.flow_id === flow_id)) {
    throw new FleetError('conflict', `this node has a flow ${flow_id} already`);
  }
  for (const leg of await store.legs.ofNode(node_id)) {
    if (leg.want === 'present' || leg.flow_id === null || leg.flow_id === id) continue;
    const gone = await store.flows.get(leg.flow_id);
    if (gone?.flow_id === flow_id) await store.legs.remove(leg.id, { generation: leg.generation });
  }
}

/** As it stands in the audit trail: without secrets. */
function shown({ config, ...rest }: FlowChange): Readonly<Record<string, unknown>> {
  return config === undefined ? rest : { ...rest, config: maskSecrets(parseJson(config)) };
}

/** Masked secrets are those of `stored`, since all readers of a flow get them masked. Throws FleetError `invalid`. */
function configOf(
  config: Readonly<Record<string, unknown>>,
  stored: string | null,
): { readonly flowId: string; readonly text: string } {
  const { value, missing } = unmaskSecrets(config, stored === null ? null : parseJson(stored));
  const [masked] = missing;
  if (masked !== undefined) {
    throw new FleetError('invalid', `${masked} is masked and not known here; write its value`, { field: 'config' });
  }
  const flowId = config['id'];
  if (typeof flowId !== 'string' || flowId === '' || flowId.length > 256) {
    throw new FleetError('invalid', 'a flow needs an id, a text of 256 characters at most');
  }
  const text = JSON.stringify(value);
  if (text.length > maxConfigChars) throw new FleetError('invalid', 'a flow may have a million characters at most');
  return { flowId, text };
}

function nameOf({ name, config }: Partial<NewFlowInput>, otherwise: string): string {
  const own = name ?? config?.['name'];
  return typeof own === 'string' && own.trim() !== ''
    ? own.replaceAll('\0', '').toWellFormed().slice(0, 256)
    : otherwise;
}
