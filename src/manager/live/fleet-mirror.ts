import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../fleet-error.ts';
import type { Fleet, NodeView } from '../fleet.ts';

/** More changed nodes than this are read page by page. */
const readOneByOne = 40;
const pageSize = 500;

/**
 * All nodes as the fleet last showed them: what lists are filtered by, and how names stand beside ids. Read again, only
 * what has changed, when it is read.
 */
export class FleetMirror {
  readonly #fleet: Fleet;
  readonly #nodes = new Map<string, NodeView>();
  #stale: Set<string> | 'all' = 'all';
  #reading: Promise<void> | null = null;
  /** When the state of a node changes by the time alone: by id. */
  readonly #dueAt = new Map<string, number>();
  /** Those that did, until the live feed takes them. */
  #changedByTime = new Set<string>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #graceMs: number;
  #unsubscribe: (() => void) | null = null;

  /** `graceMs`: for so long a lost node counts as reconnecting. */
  constructor(fleet: Fleet, clock: Pick<Clock, 'now'>, graceMs: number) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  start(): void {
    this.#unsubscribe = this.#fleet.subscribe({
      nodesChanged: (ids) => this.markChanged(ids),
      driftChanged: (ids) => this.markChanged(ids),
      allChanged: () => this.markAll(),
    });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** These are read again before they are next shown. */
  markChanged(ids: readonly string[]): void {
    if (this.#stale === 'all') return;
    for (const id of ids) this.#stale.add(id);
  }

  /** Everything is read again: for changes that no notice names. */
  markAll(): void {
    this.#stale = 'all';
  }

  /** Nodes whose state has changed by the time alone since this was last asked. */
  takeChangedByTime(): readonly string[] {
    this.#markDue();
    const changed = [...this.#changedByTime];
    this.#changedByTime = new Set();
    return changed;
  }

  /**
   * By id, with all that was marked before the call. What is marked meanwhile may be missing: in a fleet that never
   * rests there would be no end. Rejects when the database is away.
   */
  async nodes(): Promise<ReadonlyMap<string, NodeView>> {
    this.#markDue();
    // It may have begun before the newest mark.
    await this.#reading;
    if (this.#stale === 'all' || this.#stale.size > 0) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = null;
      });
      await this.#reading;
    }
    return this.#nodes;
  }

  async #read(): Promise<void> {
    const stale = this.#stale;
    this.#stale = new Set();
    try {
      if (stale === 'all' || stale.size > readOneByOne) await this.#readAll();
      else await Promise.all(Array.from(stale, (id) => this.#readOne(id)));
    } catch (error) {
      this.#stale = 'all';
      throw error;
    }
  }

  async #readAll(): Promise<void> {
    const seen = new Set<string>();
    let after: string | null = null;
    do {
      const page: { items: readonly NodeView[]; next: string | null } = await this.#fleet.nodes.page({
        limit: pageSize,
        after,
      });
      for (const node of page.items) {
        seen.add(node.id);
        this.#put(node);
      }
      after = page.next;
    } while (after !== null);
    for (const id of this.#nodes.keys()) if (!seen.has(id)) this.#forget(id);
  }

  async #readOne(id: string): Promise<void> {
    try {
      this.#put(await this.#fleet.nodes.get(id));
    } catch (error) {
      if (!(error instanceof FleetError) || error.code !== 'not_found') throw error;
      this.#forget(id);
    }
  }

  #markDue(): void {
    const now = this.#clock.now();
    const due = Array.from(this.#dueAt).flatMap(([id, at]) => (at <= now ? [id] : []));
    for (const id of due) {
      this.#dueAt.delete(id);
      this.#changedByTime.add(id);
    }
    this.markChanged(due);
  }

  #put(node: NodeView): void {
    this.#nodes.set(node.id, node);
    const { state, last_seen_at: seenAt, expires_at: expiresAt } = node;
    const offlineAt = state === 'reconnecting' && seenAt !== null ? seenAt + this.#graceMs : Infinity;
    const endsAt = state === 'expired' || state === 'disabled' || expiresAt === null ? Infinity : expiresAt;
    const dueAt = Math.min(offlineAt, endsAt);
    if (dueAt === Infinity) this.#dueAt.delete(node.id);
    else this.#dueAt.set(node.id, dueAt);
  }

  #forget(id: string): void {
    this.#nodes.delete(id);
    this.#dueAt.delete(id);
  }
}
