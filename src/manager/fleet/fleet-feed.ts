import type { Clock, Timer } from '../../lib/clock.ts';
import type { FleetListener } from '../fleet.ts';
import type { PlanLeg } from '../reconcile/plan-leg.ts';
import type { EventRow, LegRow } from '../store/schema.ts';

/** Sends live pages what changed; what changes within one turn goes together. */
export class FleetFeed {
  readonly #clock: Clock;
  readonly #listeners = new Set<FleetListener>();
  #nodes = new Set<string>();
  #tunnels = new Set<string>();
  #flows = new Set<string>();
  #drift = new Set<string>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  subscribe(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  node(id: string): void {
    this.#nodes.add(id);
    this.#later();
  }

  legs(rows: readonly Pick<LegRow, 'tunnel_id' | 'flow_id' | 'node_id'>[]): void {
    for (const { tunnel_id: tunnelId, flow_id: flowId, node_id: nodeId } of rows) {
      if (tunnelId !== null) this.#tunnels.add(tunnelId);
      if (flowId !== null) this.#flows.add(flowId);
      this.#nodes.add(nodeId);
    }
    this.#later();
  }

  /** Legs as plans know them. */
  recorded(legs: readonly PlanLeg[]): void {
    for (const { resource, resourceId } of legs) (resource === 'tunnel' ? this.#tunnels : this.#flows).add(resourceId);
    this.#later();
  }

  drift(nodeId: string): void {
    this.#drift.add(nodeId);
    this.#later();
  }

  events(events: readonly EventRow[]): void {
    for (const listener of this.#listeners) listener.eventsStored?.(events);
  }

  stats(nodeId: string): void {
    for (const listener of this.#listeners) listener.statsReceived?.(nodeId);
  }

  #later(): void {
    if (this.#listeners.size > 0) this.#timer ??= this.#clock.setTimeout(() => this.#notify(), 0);
    else this.#clear();
  }

  #notify(): void {
    const [nodes, tunnels, flows, drift] = [[...this.#nodes], [...this.#tunnels], [...this.#flows], [...this.#drift]];
    this.#clear();
    for (const listener of this.#listeners) {
      if (nodes.length > 0) listener.nodesChanged?.(nodes);
      if (tunnels.length > 0 || flows.length > 0) listener.legsChanged?.(tunnels, flows);
      if (drift.length > 0) listener.driftChanged?.(drift);
    }
  }

  #clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#nodes = new Set();
    this.#tunnels = new Set();
    this.#flows = new Set();
    this.#drift = new Set();
  }
}
