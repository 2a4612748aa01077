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
  #unsubscribe: (() => void) | null = null;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  start(): void {
    this.#unsubscribe = this.#fleet.subscribe({
      nodesChanged: (ids) => this.markChanged(ids),
      driftChanged: (ids) => this.markChanged(ids),
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

  /** By id. Rejects when the database is away. */
  async nodes(): Promise<ReadonlyMap<string, NodeView>> {
    while (this.#stale === 'all' || this.#stale.size > 0) {
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
        this.#nodes.set(node.id, node);
      }
      after = page.next;
    } while (after !== null);
    for (const id of this.#nodes.keys()) if (!seen.has(id)) this.#nodes.delete(id);
  }

  async #readOne(id: string): Promise<void> {
    try {
      this.#nodes.set(id, await this.#fleet.nodes.get(id));
    } catch (error) {
      if (!(error instanceof FleetError) || error.code !== 'not_found') throw error;
      this.#nodes.delete(id);
    }
  }
}
