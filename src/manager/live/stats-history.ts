import type { Clock, Timer } from '../../lib/clock.ts';
import type { Fleet } from '../fleet.ts';
import { FigureRing, mostPoints } from './figure-ring.ts';
import type { FlowHistory } from './flow-history.ts';
import { statsFigures } from './stats-figures.ts';

export interface StatsPoint {
  readonly at: number;
  readonly bytes_per_sec: number | null;
  readonly tunnels: number | null;
  readonly peers: number | null;
}

interface NodePast {
  readonly points: FigureRing;
  nextMs: number;
  /** A relay's lifetime total at the last point; null where it has none. */
  bytes: number | null;
  bytesAtMs: number;
}

const everyMs = 5_000;
const columns = 4;
/** A node that has said nothing for so long has no past any more. */
const keptMs = everyMs * mostPoints;
const forgetEveryMs = 60_000;

/** The last ten minutes of a few figures of each node that this instance holds; in memory only. */
export class StatsHistory {
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  readonly #flows: FlowHistory;
  readonly #nodes = new Map<string, NodePast>();
  #timer: Timer | null = null;
  #unsubscribe: (() => void) | null = null;

  /** What is read for the figures of a node is given to `flows` too: reading a frame costs its parsing. */
  constructor(fleet: Fleet, clock: Clock, flows: FlowHistory) {
    this.#fleet = fleet;
    this.#clock = clock;
    this.#flows = flows;
  }

  start(): void {
    this.#unsubscribe = this.#fleet.subscribe({ statsReceived: (id) => this.#received(id) });
    this.#timer = this.#clock.setInterval(() => this.#forgetSilent(), forgetEveryMs);
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#timer?.cancel();
  }

  /** Oldest first. */
  of(nodeId: string): readonly StatsPoint[] {
    const points = this.#nodes.get(nodeId)?.points.map((figure) => ({
      at: figure(0) ?? 0,
      bytes_per_sec: figure(1),
      tunnels: figure(2),
      peers: figure(3),
    }));
    return points ?? [];
  }

  #received(nodeId: string): void {
    const now = this.#clock.monotonicMs();
    const past = this.#nodes.get(nodeId) ?? { points: new FigureRing(columns, mostPoints), nextMs: 0, ...noBytes };
    if (now < past.nextMs) return;
    past.nextMs = now + everyMs;
    this.#nodes.set(nodeId, past);
    void this.#sample(nodeId, past, now);
  }

  async #sample(nodeId: string, past: NodePast, now: number): Promise<void> {
    const latest = await this.#fleet.nodes.stats(nodeId).catch(() => null);
    if (latest === null) return;
    this.#flows.record(nodeId, latest.payload);
    const { bytes_per_sec: reported, tunnels, peers, totalBytes } = statsFigures(latest.payload);
    past.points.push([this.#clock.now(), reported ?? rateOf(past, now, totalBytes), tunnels, peers]);
  }

  #forgetSilent(): void {
    const since = this.#clock.monotonicMs() - keptMs;
    for (const [id, { nextMs }] of this.#nodes) {
      if (nextMs > since) continue;
      this.#nodes.delete(id);
      this.#flows.forget(id);
    }
  }
}

const noBytes = { bytes: null, bytesAtMs: 0 } as const;

/** From two lifetime totals; null for the first. */
function rateOf(past: NodePast, now: number, bytes: number | null): number | null {
  if (bytes === null) return null;
  const { bytes: before, bytesAtMs: beforeMs } = past;
  past.bytes = bytes;
  past.bytesAtMs = now;
  if (before === null || now <= beforeMs || bytes < before) return null;
  return ((bytes - before) * 1_000) / (now - beforeMs);
}
