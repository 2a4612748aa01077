import type { Clock } from '../../lib/clock.ts';
import { keptOnceMade } from '../../lib/kept-once-made.ts';
import type { Fleet } from '../fleet.ts';
import type { EventRow } from '../store/schema.ts';

const dayMs = 86_400_000;
const pageSize = 500;
/** Older disconnects of a fleet that flaps more than this are not counted. */
const mostRead = 20_000;

/** How often each node was lost in the last 24 h: read once, then kept up with what is stored. */
export class FlapCounter {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #times = new Map<string, number[]>();
  readonly #loaded = keptOnceMade(() => this.#load());
  #unsubscribe: (() => void) | null = null;

  constructor(fleet: Fleet, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }

  start(): void {
    this.#unsubscribe = this.#fleet.subscribe({
      eventsStored: (events) => events.forEach((event) => this.#add(event)),
    });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** Rejects when the database is away. Counts of nodes that were lost at all. */
  async counts(): Promise<ReadonlyMap<string, number>> {
    await this.#loaded();
    const since = this.#clock.now() - dayMs;
    for (const [id, times] of this.#times) {
      const recent = times.filter((at) => at > since);
      if (recent.length === 0) this.#times.delete(id);
      else this.#times.set(id, recent);
    }
    return new Map(Array.from(this.#times, ([id, times]) => [id, times.length]));
  }

  async #load(): Promise<void> {
    this.#times.clear();
    const filter = { category: 'connection', severity: 'critical' as const, from: this.#clock.now() - dayMs };
    let after: number | null = null;
    for (let read = 0; read < mostRead; read += pageSize) {
      const rows: readonly EventRow[] = await this.#fleet.events.page({ ...filter, limit: pageSize, after });
      for (const row of rows) this.#add(row);
      after = rows.at(-1)?.id ?? null;
      if (rows.length < pageSize) return;
    }
  }

  /** Only what a manager saw itself counts: a node may raise events with the same words. */
  #add({ node_id, instance_id, category, severity, raised_at }: EventRow): void {
    if (node_id === null || instance_id === null || category !== 'connection' || severity !== 'critical') return;
    const times = this.#times.get(node_id) ?? [];
    if (!times.includes(raised_at)) times.push(raised_at);
    this.#times.set(node_id, times);
  }
}
