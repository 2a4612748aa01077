import type { Timer } from '../../lib/clock.ts';
import type { InstanceOrder } from '../commands/remote-desk.ts';
import type { LiveNode } from '../hub/live-node.ts';
import type { NodeRoster } from '../hub/node-roster.ts';
import type { PlanSettings } from '../reconcile/plan-types.ts';
import type { LegRow } from '../store/schema.ts';
import { NodeWorker, type NodeWorkerDependencies } from './node-worker.ts';

export type ReconcilerDependencies = Omit<NodeWorkerDependencies, 'tunnelLegsRecorded'> & {
  readonly roster: NodeRoster;
  /** Legs of nodes that another instance holds. */
  readonly changedElsewhere: (nodeIds: readonly string[]) => void;
  /** Legs of these tunnels were recorded here: other instances may hold some that wait for them. */
  readonly recordedHere: (tunnelIds: readonly string[]) => void;
};

const tickMs = 1_000;
const lookEveryMs = 5_000;
/** Clocks of instances may differ by as much. */
const lookBackMs = 60_000;

/** Keeps one worker for each node that is connected here, and brings it what changes. */
export class Reconciler {
  readonly #dependencies: ReconcilerDependencies;
  readonly #ofWorkers: NodeWorkerDependencies;
  readonly #settings: PlanSettings;
  readonly #workers = new Map<string, NodeWorker>();
  #released = new Set<string>();
  #ticker: Timer | null = null;
  #looker: Timer | null = null;
  #looking = false;
  #toLook = new Set<string>();
  #fenced = false;

  constructor(dependencies: ReconcilerDependencies, settings: PlanSettings) {
    this.#dependencies = dependencies;
    this.#ofWorkers = {
      ...dependencies,
      tunnelLegsRecorded: (ids) => {
        this.release(ids);
        dependencies.recordedHere(ids);
      },
    };
    this.#settings = settings;
  }

  start(): void {
    const { clock, roster, desk } = this.#dependencies;
    roster.listen({
      joined: (node) => this.#joined(node),
      left: (node) => {
        this.#left(node);
        desk.left(node);
      },
      answered: (node, payload) => desk.answered(node, payload),
      configured: (node, payload) => desk.configured(node, payload),
    });
    this.#ticker = clock.setInterval(() => {
      if (this.#fenced) return;
      for (const worker of this.#workers.values()) worker.feed({ kind: 'tick' });
    }, tickMs);
    this.#looker = clock.setInterval(() => void this.look(), lookEveryMs);
  }

  async stop(): Promise<void> {
    this.#ticker?.cancel();
    this.#looker?.cancel();
    await Promise.all([...this.#workers.values()].map((worker) => worker.settled()));
  }

  /** While the lease cannot be renewed nothing is pushed: another instance may hold the node by now. */
  fence(fenced: boolean): void {
    this.#fenced = fenced;
  }

  phaseOf(nodeId: string): string {
    return this.#workers.get(nodeId)?.phase ?? 'offline';
  }

  phases(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { phase } of this.#workers.values()) counts.set(phase, (counts.get(phase) ?? 0) + 1);
    return counts;
  }

  /** Legs that an operator changed, as they are stored now. */
  async changed(rows: readonly LegRow[]): Promise<void> {
    const here = rows.filter(({ node_id: id }) => this.#workers.has(id));
    const elsewhere = rows.filter(({ node_id: id }) => !this.#workers.has(id));
    if (elsewhere.length > 0) this.#dependencies.changedElsewhere([...new Set(elsewhere.map(({ node_id: id }) => id))]);
    if (here.length === 0) return;
    const legs = await this.#dependencies.reader.plan(here);
    const nodeOf = new Map(here.map(({ id, node_id: nodeId }) => [id, nodeId]));
    for (const leg of legs) this.#workers.get(nodeOf.get(leg.id) ?? '')?.feed({ kind: 'leg-changed', leg });
  }

  forget(nodeId: string, legId: string): void {
    this.#workers.get(nodeId)?.feed({ kind: 'leg-gone', legId });
  }

  /**
   * `compare-now` looks at the node. `reload-drift` does after an operator resolved a difference: what is open is read
   * again first. False where the node is not here.
   */
  carryOut(nodeId: string, order: InstanceOrder): boolean {
    const worker = this.#workers.get(nodeId);
    if (order === 'compare-now') worker?.feed({ kind: 'compare-now' });
    else worker?.reloadDrift();
    return worker !== undefined;
  }

  /** What other instances changed for nodes that are held here; also when a notice was lost. */
  async look(nodeIds: readonly string[] = [...this.#workers.keys()]): Promise<void> {
    for (const id of nodeIds) if (this.#workers.has(id)) this.#toLook.add(id);
    this.release([...this.#workers.values()].flatMap((worker) => worker.heldTunnels));
    if (this.#looking || this.#fenced) return;
    this.#looking = true;
    const { store, clock, logger } = this.#dependencies;
    try {
      // Notices that come meanwhile are looked at in the next round.
      while (this.#toLook.size > 0) {
        const ids = [...this.#toLook];
        this.#toLook = new Set();
        const rows = await store.legs.changedSince(ids, clock.now() - lookBackMs);
        if (rows.length > 0) await this.changed(rows);
      }
    } catch (error) {
      logger.debug({ error }, 'changed legs could not be looked up');
    } finally {
      this.#looking = false;
    }
  }

  #joined(node: LiveNode): void {
    const worker = new NodeWorker(node, this.#ofWorkers, this.#settings);
    this.#workers.set(node.id, worker);
    worker.start();
  }

  #left(node: LiveNode): void {
    const worker = this.#workers.get(node.id);
    if (worker?.node !== node) return;
    this.#workers.delete(node.id);
    worker.leave();
  }

  /**
   * Legs that wait for others of these tunnels go if they may; all that is recorded within a turn is looked at
   * together.
   */
  release(tunnelIds: readonly string[]): void {
    const isFirst = this.#released.size === 0;
    for (const id of tunnelIds) if (this.#isHeld(id)) this.#released.add(id);
    if (isFirst && this.#released.size > 0) this.#dependencies.clock.setTimeout(() => void this.#releaseAll(), 0);
  }

  #isHeld(tunnelId: string): boolean {
    for (const worker of this.#workers.values()) if (worker.holds(tunnelId)) return true;
    return false;
  }

  async #releaseAll(): Promise<void> {
    const ids = [...this.#released];
    this.#released = new Set();
    try {
      const { edgesMayGo, relaysMayGo } = await this.#dependencies.reader.settledTunnels(ids);
      for (const worker of this.#workers.values()) {
        const mayGo = worker.node.kind === 'relay' ? relaysMayGo : edgesMayGo;
        for (const tunnelId of mayGo) if (worker.holds(tunnelId)) worker.feed({ kind: 'released', tunnelId });
      }
    } catch (error) {
      // The next look, in five seconds, tries again.
      this.#dependencies.logger.debug({ error }, 'waiting edge legs could not be looked up');
    }
  }
}
