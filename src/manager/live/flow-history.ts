import type { Clock } from '../../lib/clock.ts';
import type { Fleet } from '../fleet.ts';
import { flowFigures, type FlowFigures } from './flow-figures.ts';

export interface FlowPoint {
  readonly at: number;
  readonly health: FlowFigures['health'];
  readonly bitsPerSecond: number | null;
  /** Continuity errors since the point before; null where the stream is not analysed. */
  readonly newErrors: number | null;
}

const everyMs = 5_000;
export const mostFlowPoints = 120;

/** The last ten minutes of each media flow of the nodes that this instance holds; in memory only. */
export class FlowHistory {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  /** By node, then by the flow's id on it. */
  readonly #flows = new Map<string, Map<string, FlowPast>>();
  readonly #nextAt = new Map<string, number>();
  #unsubscribe: (() => void) | null = null;

  constructor(fleet: Fleet, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }

  start(): void {
    this.#unsubscribe = this.#fleet.subscribe({ statsReceived: (id) => this.#received(id) });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  /** Oldest first. */
  of(nodeId: string, flowId: string): readonly FlowPoint[] {
    return this.#flows.get(nodeId)?.get(flowId)?.points ?? [];
  }

  #received(nodeId: string): void {
    const now = this.#clock.monotonicMs();
    if (now < (this.#nextAt.get(nodeId) ?? 0)) return;
    this.#nextAt.set(nodeId, now + everyMs);
    void this.#sample(nodeId);
  }

  async #sample(nodeId: string): Promise<void> {
    const latest = await this.#fleet.nodes.stats(nodeId).catch(() => null);
    if (latest === null) return;
    const before = this.#flows.get(nodeId);
    const figures = flowFigures(latest.payload);
    // A flow that the node no longer has is forgotten.
    if (figures.size === 0) this.#flows.delete(nodeId);
    else this.#flows.set(nodeId, new Map(Array.from(figures, ([id, now]) => [id, this.#with(before?.get(id), now)])));
  }

  #with(past: FlowPast | undefined, { health, bitsPerSecond, continuityErrors }: FlowFigures): FlowPast {
    const newErrors = continuityErrors === null ? null : errorsSince(past?.errors ?? null, continuityErrors);
    const point = { at: this.#clock.now(), health, bitsPerSecond, newErrors };
    return { points: [...(past?.points ?? []), point].slice(-mostFlowPoints), errors: continuityErrors };
  }
}

interface FlowPast {
  readonly points: readonly FlowPoint[];
  readonly errors: number | null;
}

/** A flow that was started again counts from zero. */
function errorsSince(before: number | null, now: number): number {
  if (before === null) return 0;
  return now < before ? now : now - before;
}
