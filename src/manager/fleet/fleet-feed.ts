import type { Clock, Timer } from '../../lib/clock.ts';
import type { FleetListener } from '../fleet.ts';
import type { PlanLeg } from '../reconcile/plan-leg.ts';
import type { EventRow, LegRow } from '../store/schema.ts';

type Kind = 'node' | 'tunnel' | 'flow' | 'drift';

/**
 * Sends live pages what changed; what changes within one turn goes together. Other instances are told the same, for the
 * pages that they serve.
 */
export class FleetFeed {
  readonly #clock: Clock;
  readonly #tellOthers: (kind: Kind, id: string) => void;
  readonly #listeners = new Set<FleetListener>();
  /** By kind; true for a change of this instance, which others do not know yet. */
  #changed = emptyChanges();
  #timer: Timer | null = null;

  constructor(clock: Clock, tellOthers: (kind: Kind, id: string) => void) {
    this.#clock = clock;
    this.#tellOthers = tellOthers;
  }

  subscribe(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  node(id: string): void {
    this.#changed.node.set(id, true);
    this.#later();
  }

  legs(rows: readonly Pick<LegRow, 'tunnel_id' | 'flow_id' | 'node_id'>[]): void {
    for (const { tunnel_id: tunnelId, flow_id: flowId, node_id: nodeId } of rows) {
      if (tunnelId !== null) this.#changed.tunnel.set(tunnelId, true);
      if (flowId !== null) this.#changed.flow.set(flowId, true);
      this.#changed.node.set(nodeId, true);
    }
    this.#later();
  }

  /** Legs as plans know them. */
  recorded(legs: readonly PlanLeg[]): void {
    for (const { resource, resourceId } of legs) this.#changed[resource].set(resourceId, true);
    this.#later();
  }

  /** The differences of a node. */
  drift(nodeId: string): void {
    this.#changed.drift.set(nodeId, true);
    this.#later();
  }

  /** Another instance has changed it. */
  elsewhere(kind: string, id: string): void {
    if (!isKind(kind) || this.#changed[kind].has(id)) return;
    this.#changed[kind].set(id, false);
    this.#later();
  }

  /** Notices of other instances may have been lost. */
  everything(): void {
    for (const listener of this.#listeners) listener.allChanged?.();
  }

  events(events: readonly EventRow[]): void {
    for (const listener of this.#listeners) listener.eventsStored?.(events);
  }

  stats(nodeId: string): void {
    for (const listener of this.#listeners) listener.statsReceived?.(nodeId);
  }

  #later(): void {
    if (this.#timer === null) this.#timer = this.#clock.setTimeout(() => this.#notify(), 0);
  }

  #notify(): void {
    this.#timer = null;
    const changed = this.#changed;
    this.#changed = emptyChanges();
    const [nodes, drift] = [[...changed.node.keys()], [...changed.drift.keys()]];
    const [tunnels, flows] = [[...changed.tunnel.keys()], [...changed.flow.keys()]];
    for (const listener of this.#listeners) {
      if (nodes.length > 0) listener.nodesChanged?.(nodes);
      if (tunnels.length > 0 || flows.length > 0) listener.legsChanged?.(tunnels, flows);
      if (drift.length > 0) listener.driftChanged?.(drift);
    }
    for (const kind of kinds) {
      for (const [id, isOwn] of changed[kind]) if (isOwn) this.#tellOthers(kind, id);
    }
  }
}

const kinds: readonly Kind[] = ['node', 'tunnel', 'flow', 'drift'];

function isKind(text: string): text is Kind {
  return (kinds as readonly string[]).includes(text);
}

function emptyChanges(): Record<Kind, Map<string, boolean>> {
  return { node: new Map(), tunnel: new Map(), flow: new Map(), drift: new Map() };
}
