import { asJsonObject, parseJson } from '../../lib/json.ts';
import type { NodeState, NodeView, RunningState } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { NodeKind, NodeRow } from '../store/schema.ts';
import type { Page, PageQuery } from '../store/store.ts';
import type { FleetCore } from './fleet-core.ts';
import { nodeState, nodeView } from './views.ts';

/** Older stats do not describe the present. */
const freshMs = 30_000;
const watchMs = 10_000;
/** Another instance shares the stats of a watched node once a second. */
const sharedWithinMs = 5_000;
const lookForSharedMs = 500;
const runningStates: ReadonlySet<unknown> = new Set<RunningState>([
  'ready',
  'waiting',
  'connecting',
  'down',
  'stopped',
]);

/** Nodes as they are shown: rows, sessions, legs and what they report. */
export class NodeReader {
  readonly #core: FleetCore;

  constructor(core: FleetCore) {
    this.#core = core;
  }

  async page(query: PageQuery & { readonly kind?: NodeKind }): Promise<Page<NodeView>> {
    const { items, next } = await this.#core.dependencies.store.nodes.page(query);
    return { items: await this.views(items), next };
  }

  async get(id: string): Promise<NodeView> {
    const [view] = await this.views([await this.#core.node(id)], true);
    if (view === undefined) throw new FleetError('not_found', `there is no node ${id}`);
    return view;
  }

  async views(rows: readonly NodeRow[], withSecrets = false): Promise<NodeView[]> {
    const { store, leaseMs, instanceId, roster } = this.#core.dependencies;
    const ids = rows.map(({ id }) => id);
    const [sessions, legs, drift] = await Promise.all([
      store.sessions.live(leaseMs, instanceId(), ids),
      store.legs.countsByNode(ids),
      store.drift.countsByNode(ids),
    ]);
    const sessionOf = new Map(sessions.map((session) => [session.node_id, session]));
    const legsOf = Map.groupBy(legs, ({ node_id: id }) => id);
    const driftOf = Map.groupBy(drift, ({ node_id: id }) => id);
    const now = this.#core.now();
    return Promise.all(
      rows.map(async (row) => {
        const facts = {
          session: sessionOf.get(row.id),
          legs: legsOf.get(row.id) ?? [],
          driftOpen: (driftOf.get(row.id) ?? []).reduce((sum, { count }) => sum + count, 0),
          secrets: withSecrets ? await store.secrets.of(row.id) : [],
          health: roster.get(row.id)?.health?.payload ?? null,
        };
        return nodeView(row, facts, now, this.#core.limits.offlineGraceMs);
      }),
    );
  }

  async states(): Promise<Record<NodeState, number>> {
    const { store, leaseMs, instanceId } = this.#core.dependencies;
    const [rows, sessions] = await Promise.all([store.nodes.all(), store.sessions.live(leaseMs, instanceId())]);
    const sessionOf = new Map(sessions.map((session) => [session.node_id, session]));
    const counts: Record<NodeState, number> = {
      ...{ online: 0, reconnecting: 0, offline: 0 },
      ...{ never: 0, disabled: 0, expired: 0 },
    };
    for (const row of rows) {
      counts[nodeState(row, sessionOf.get(row.id), this.#core.now(), this.#core.limits.offlineGraceMs)] += 1;
    }
    return counts;
  }

  /** The newest stats, also of a node that another instance holds: that one is asked to share them. */
  async stats(id: string): Promise<{ readonly at: number; readonly payload: unknown } | null> {
    const { roster, store, instanceId } = this.#core.dependencies;
    const here = roster.get(id);
    if (here !== null) return here.stats;
    await this.#core.node(id);
    await store.watches.watch(id, instanceId(), watchMs);
    const [row] = await store.watches.live([id]);
    return row === undefined ? null : { at: row.at, payload: parseJson(row.payload) };
  }

  /** The state of a tunnel in an edge's newest stats. */
  async running(nodeId: string, tunnelId: string): Promise<RunningState> {
    const stats = await this.statsIfThere(nodeId);
    const fields = asJsonObject(stats?.payload);
    if (stats === null || fields === null || this.#core.now() - stats.at > freshMs) return 'unknown';
    const tunnels = Array.isArray(fields['tunnels']) ? (fields['tunnels'] as readonly unknown[]) : [];
    const entry = tunnels.map(asJsonObject).find((tunnel) => tunnel?.['id'] === tunnelId);
    const state = entry?.['state'];
    return runningStates.has(state) ? (state as RunningState) : 'unknown';
  }

  /** Whether an edge reports the tunnel as ready. One at another instance is watched until its stats are shared. */
  async isReady(nodeId: string, tunnelId: string): Promise<boolean> {
    const { clock, roster, store, leaseMs, instanceId } = this.#core.dependencies;
    const isElsewhere =
      roster.get(nodeId) === null && (await store.sessions.live(leaseMs, instanceId(), [nodeId])).length > 0;
    const deadlineMs = clock.monotonicMs() + (isElsewhere ? sharedWithinMs : 0);
    for (;;) {
      if ((await this.running(nodeId, tunnelId)) === 'ready') return true;
      if (clock.monotonicMs() >= deadlineMs) return false;
      await store.watches.watch(nodeId, instanceId(), watchMs);
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, lookForSharedMs));
    }
  }

  private async statsIfThere(id: string): Promise<{ readonly at: number; readonly payload: unknown } | null> {
    const { roster, store } = this.#core.dependencies;
    const here = roster.get(id);
    if (here !== null) return here.stats;
    const [row] = await store.watches.live([id]);
    return row === undefined ? null : { at: row.at, payload: parseJson(row.payload) };
  }
}
