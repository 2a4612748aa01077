import type { Clock } from '../../lib/clock.ts';
import { flowHealthSchema } from '../views/flow-live.ts';
import { FigureRing, mostPoints } from './figure-ring.ts';
import { flowFigures, type FlowFigures } from './flow-figures.ts';

export interface FlowPoint {
  readonly at: number;
  readonly health: FlowFigures['health'];
  readonly bitsPerSecond: number | null;
  /** Continuity errors since the point before; null where the stream is not analysed. */
  readonly newErrors: number | null;
}

interface FlowPast {
  readonly points: FigureRing;
  errors: number | null;
}

const columns = 4;
/** Of more flows of one node no past is kept: its frame may name as many as it likes. */
const mostFlowsOfNode = 500;
const healths = flowHealthSchema.options;

/** The recent past of each media flow of the nodes that this instance holds, a point a record; in memory only. */
export class FlowHistory {
  readonly #clock: Clock;
  /** By node, then by the flow's id on it. */
  readonly #flows = new Map<string, ReadonlyMap<string, FlowPast>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Oldest first. */
  of(nodeId: string, flowId: string): readonly FlowPoint[] {
    const past = this.#flows.get(nodeId)?.get(flowId);
    const points = past?.points.map((figure) => ({
      at: figure(0) ?? 0,
      health: healths[figure(1) ?? 0] ?? 'Error',
      bitsPerSecond: figure(2),
      newErrors: figure(3),
    }));
    return points ?? [];
  }

  /** Takes the flows of a stats frame; one that the node no longer has is forgotten. */
  record(nodeId: string, payload: unknown): void {
    const before = this.#flows.get(nodeId);
    const figures = [...flowFigures(payload)].slice(0, mostFlowsOfNode);
    if (figures.length === 0) this.#flows.delete(nodeId);
    else this.#flows.set(nodeId, new Map(figures.map(([id, now]) => [id, this.#with(before?.get(id), now)])));
  }

  forget(nodeId: string): void {
    this.#flows.delete(nodeId);
  }

  #with(known: FlowPast | undefined, { health, bitsPerSecond, continuityErrors: errors }: FlowFigures): FlowPast {
    const past = known ?? { points: new FigureRing(columns, mostPoints), errors: null };
    const newErrors = errors === null ? null : errorsSince(past.errors, errors);
    past.points.push([this.#clock.now(), healths.indexOf(health), bitsPerSecond, newErrors]);
    past.errors = errors;
    return past;
  }
}

/** A flow that was started again counts from zero. */
function errorsSince(before: number | null, now: number): number {
  if (before === null) return 0;
  return now < before ? now : now - before;
}
