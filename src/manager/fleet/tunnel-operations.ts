import type {
  Actor,
  NewTunnelInput,
  RunningState,
  TunnelOperations,
  TunnelView,
  WhyFinding,
  WrittenTunnel,
} from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import { openKeys } from '../secrets/tunnel-keys.ts';
import type { TunnelRow } from '../store/schema.ts';
import type { Page, TunnelQuery } from '../store/store.ts';
import { explainTunnel } from './explain-tunnel.ts';
import type { FleetCore } from './fleet-core.ts';
import type { NodeReader } from './node-reader.ts';
import type { TunnelEditor } from './tunnel-editor.ts';
import { tunnelView } from './views.ts';

/** What can be done with tunnels. */
export class FleetTunnels implements TunnelOperations {
  readonly #core: FleetCore;
  readonly #editor: TunnelEditor;
  readonly #reader: NodeReader;

  constructor(core: FleetCore, parts: { editor: TunnelEditor; reader: NodeReader }) {
    this.#core = core;
    this.#editor = parts.editor;
    this.#reader = parts.reader;
  }

  async page(query: TunnelQuery): Promise<Page<TunnelView>> {
    const { items, next } = await this.#core.dependencies.store.tunnels.page(query);
    return { items: await this.#views(items), next };
  }

  async get(id: string): Promise<TunnelView> {
    const [view] = await this.#views([await this.#editor.row(id)]);
    if (view === undefined) throw new FleetError('not_found', `there is no tunnel ${id}`);
    return view;
  }

  async create(input: NewTunnelInput, actor: Actor): Promise<WrittenTunnel> {
    return this.#written(await this.#editor.create(input, actor));
  }

  async patch(
    id: string,
    change: Partial<NewTunnelInput>,
    generation: number | null,
    actor: Actor,
  ): Promise<WrittenTunnel> {
    await this.#editor.patch(id, change, generation, actor);
    return this.#written(id);
  }

  async remove(id: string, generation: number | null, actor: Actor): Promise<TunnelView> {
    await this.#editor.remove(id, generation, actor);
    return this.get(id);
  }

  async restore(id: string, actor: Actor): Promise<WrittenTunnel> {
    await this.#editor.restore(id, actor);
    return this.#written(id);
  }

  async pause(id: string, actor: Actor): Promise<TunnelView> {
    await this.#editor.setPaused(id, true, actor);
    return this.get(id);
  }

  async resume(id: string, actor: Actor): Promise<TunnelView> {
    await this.#editor.setPaused(id, false, actor);
    return this.get(id);
  }

  async retry(id: string, actor: Actor): Promise<TunnelView> {
    await this.#editor.row(id);
    await this.#editor.retry(id, actor);
    return this.get(id);
  }

  async rotateKeys(id: string, actor: Actor): Promise<TunnelView> {
    await this.#editor.rotateKeys(id, actor);
    return this.get(id);
  }

  async keys(id: string, actor: Actor): Promise<{ encryption_key: string; bind_secret: string }> {
    const row = await this.#editor.row(id);
    const keys = openKeys(this.#core.dependencies.sealing, row);
    if (keys === null) throw new FleetError('keys_unknown', 'the manager does not know the keys of this tunnel');
    await this.#core.change(actor, 'tunnel.read-keys', id, () => Promise.resolve({ result: null }));
    return { encryption_key: keys.encryptionKey, bind_secret: keys.bindSecret };
  }

  async why(id: string): Promise<readonly WhyFinding[]> {
    const view = await this.get(id);
    const ids = [...new Set(view.legs.map(({ node_id: nodeId }) => nodeId))];
    const nodes = await this.#reader.views(await this.#core.dependencies.store.nodes.all(ids));
    return explainTunnel(view, nodes);
  }

  async #written(id: string): Promise<WrittenTunnel> {
    const tunnel = await this.get(id);
    const ids = [...new Set(tunnel.legs.map(({ node_id: nodeId }) => nodeId))];
    const nodes = await this.#reader.views(await this.#core.dependencies.store.nodes.all(ids));
    const away = nodes.filter(({ state }) => state !== 'online').map(({ name }) => name);
    const warnings = away.map((name) => `${name} is not connected; it gets its part when it is back`);
    return { tunnel, warnings };
  }

  async #views(rows: readonly TunnelRow[]): Promise<TunnelView[]> {
    const { store } = this.#core.dependencies;
    const ids = rows.map(({ id }) => id);
    const [relays, legs] = await Promise.all([store.tunnels.relays(ids), store.legs.ofTunnels(ids)]);
    const relaysOf = Map.groupBy(relays, ({ tunnel_id: id }) => id);
    const legsOf = Map.groupBy(legs, ({ tunnel_id: id }) => id ?? '');
    return Promise.all(
      rows.map(async (row) => {
        const running = await this.#running(row);
        return tunnelView(row, relaysOf.get(row.id) ?? [], legsOf.get(row.id) ?? [], running);
      }),
    );
  }

  async #running(row: TunnelRow): Promise<{ source: RunningState; destination: RunningState }> {
    const [source, destination] = await Promise.all([
      this.#reader.running(row.source_node_id, row.id),
      this.#reader.running(row.destination_node_id, row.id),
    ]);
    return { source, destination };
  }
}
