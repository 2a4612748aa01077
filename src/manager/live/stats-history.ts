import type { Clock } from '../../lib/clock.ts';
import type { Fleet } from '../fleet.ts';
import type { FlowHistory } from './flow-history.ts';
import { withPoint } from './recent-points.ts';
import { statsFigures, type StatsFigures } from './stats-figures.ts';

export interface StatsPoint extends StatsFigures {
  readonly at: number;
}

const everyMs = 5_000;

/** The last ten minutes of a few figures of each node that this instance holds; in memory only. */
export class StatsHistory {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #flows: FlowHistory;
  readonly #points = new Map<string, readonly StatsPoint[]>();
  readonly #totals = new Map<string, { readonly at: number; readonly bytes: number }>();
  readonly #nextAt = new Map<string, number>();
  #unsubscribe: (() => void) | null = null;

  /** What is read for the figures of a node is given to `flows` too: reading a frame costs its parsing. */
  constructor(fleet: Fleet, clock: Clock, flows: FlowHistory) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#flows = flows;
  }

  start(): void {
    this.#unsubscribe = this.#fleet.subscribe({ statsReceived: (id) => this.#received(id) });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** Oldest first. */
  of(nodeId: string): readonly StatsPoint[] {
    return this.#points.get(nodeId) ?? [];
  }

  #received(nodeId: string): void {
    const now = this.#clock.monotonicMs();
    if (now < (this.#nextAt.get(nodeId) ?? 0)) return;
    this.#nextAt.set(nodeId, now + everyMs);
    void this.#sample(nodeId, now);
  }

  async #sample(nodeId: string, now: number): Promise<void> {
    const latest = await this.#fleet.nodes.stats(nodeId).catch(() => null);
    if (latest === null) return;
    this.#flows.record(nodeId, latest.payload);
    const figures = statsFigures(latest.payload);
    const rate = figures.bytes_per_sec ?? this.#rate(nodeId, now, figures.totalBytes);
    const point = { ...figures, bytes_per_sec: rate, at: this.#clock.now() };
    this.#points.set(nodeId, withPoint(this.#points.get(nodeId), point));
  }

  /** From two lifetime totals; null for the first. */
  #rate(nodeId: string, now: number, bytes: number | null): number | null {
    if (bytes === null) return null;
    const before = this.#totals.get(nodeId);
    this.#totals.set(nodeId, { at: now, bytes });
    if (before === undefined || now <= before.at || bytes < before.bytes) return null;
    return ((bytes - before.bytes) * 1_000) / (now - before.at);
  }
}
