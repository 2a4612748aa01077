import type { Clock } from '../../lib/clock.ts';
import { flowFigures, type FlowFigures } from './flow-figures.ts';
import { withPoint } from './recent-points.ts';

export interface FlowPoint {
  readonly at: number;
  readonly health: FlowFigures['health'];
  readonly bitsPerSecond: number | null;
  /** Continuity errors since the point before; null where the stream is not analysed. */
  readonly newErrors: number | null;
}

/** The recent past of each media flow of the nodes that this instance holds, a point a record; in memory only. */
export class FlowHistory {
  readonly #clock: Clock;
  /** By node, then by the flow's id on it. */
  readonly #flows = new Map<string, Map<string, FlowPast>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Oldest first. */
  of(nodeId: string, flowId: string): readonly FlowPoint[] {
    return this.#flows.get(nodeId)?.get(flowId)?.points ?? [];
  }

  /** Takes the flows of a stats frame; one that the node no longer has is forgotten. */
  record(nodeId: string, payload: unknown): void {
    const before = this.#flows.get(nodeId);
    const figures = flowFigures(payload);
    if (figures.size === 0) this.#flows.delete(nodeId);
    else this.#flows.set(nodeId, new Map(Array.from(figures, ([id, now]) => [id, this.#with(before?.get(id), now)])));
  }

  #with(past: FlowPast | undefined, { health, bitsPerSecond, continuityErrors }: FlowFigures): FlowPast {
    const newErrors = continuityErrors === null ? null : errorsSince(past?.errors ?? null, continuityErrors);
    const point = { at: this.#clock.now(), health, bitsPerSecond, newErrors };
    return { points: withPoint(past?.points, point), errors: continuityErrors };
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
