import type {
  Actor,
  DriftOperations,
  DriftView,
  EventOperations,
  Fleet,
  FleetListener,
  FlowOperations,
  InstanceView,
  NodeOperations,
  NodeView,
  Overview,
  TunnelOperations,
  TunnelView,
} from '../../../src/manager/fleet.ts';
import type { EventRow } from '../../../src/manager/store/schema.ts';
import { fakeFlows } from './fake-flows.ts';
import { fakeNodes } from './fake-nodes.ts';
import { eventMatches, found, paged } from './fake-rows.ts';
import { FakeState } from './fake-state.ts';
import { fakeTunnels } from './fake-tunnels.ts';
import { sampleFleet, type SampleSize } from './sample-fleet.ts';

/** A fleet in memory with sample content: what API and page are tried against without nodes. Records each change. */
export class FakeFleet implements Fleet {
  readonly nodes: NodeOperations;
  readonly tunnels: TunnelOperations;
  readonly flows: FlowOperations;
  readonly #state: FakeState;

  constructor(now: number, size: SampleSize) {
    this.#state = new FakeState(now, sampleFleet(now, size));
    this.nodes = fakeNodes(this.#state);
    this.tunnels = fakeTunnels(this.#state);
    this.flows = fakeFlows(this.#state);
  }

  get changes(): readonly string[] {
    return this.#state.changes;
  }

  subscribe(listener: FleetListener): () => void {
    this.#state.listeners.add(listener);
    return () => this.#state.listeners.delete(listener);
  }

  /** As the fleet would after a change of the node. */
  putNode(node: NodeView): void {
    this.#state.putNode(node);
  }

  putTunnel(tunnel: TunnelView): void {
    this.#state.putTunnel(tunnel);
  }

  /** Every connected node reports its stats. */
  report(): void {
    this.#state.reports += 1;
    for (const { id, state } of this.#state.nodes.values()) {
      if (state !== 'online') continue;
      for (const listener of this.#state.listeners) listener.statsReceived?.(id);
    }
  }

  storeEvent(event: EventRow): void {
    this.#state.events = [event, ...this.#state.events];
    for (const listener of this.#state.listeners) listener.eventsStored?.([event]);
  }

  async overview(): Promise<Overview> {
    const nodes = { online: 0, reconnecting: 0, offline: 0, never: 0, disabled: 0, expired: 0 };
    const legs = { pending: 0, pushing: 0, pushed: 0, failed: 0 };
    for (const { state } of this.#state.nodes.values()) nodes[state] += 1;
    for (const leg of Array.from(this.#state.tunnels.values()).flatMap((tunnel) => tunnel.legs))
      legs[leg.push_status] += 1;
    return { nodes, legs, drift_open: this.#state.drift.size, critical_unacknowledged: 3, changed_last_hour: 19 };
  }

  async instances(): Promise<readonly InstanceView[]> {
    const common = { version: '0.1.0', started_at: this.#state.now - 86_400_000 };
    return [
      {
        ...common,
        ...{ id: 'a', name: 'manager-a', url: null, lease_age_ms: 1_800, alive: true, self: true, nodes: 31 },
      },
      {
        ...common,
        ...{ id: 'b', name: 'manager-b', url: null, lease_age_ms: 32_000, alive: false, self: false, nodes: 0 },
      },
    ];
  }

  readonly drift: DriftOperations = {
    page: async (query) => paged(this.#state.drift.values(), query),
    get: async (id) => found(this.#state.drift, id, 'Difference'),
    repush: async (id, actor) => this.#resolve(id, 'repush', actor),
    ingest: async (id, actor) => this.#resolve(id, 'ingest', actor),
    remove: async (id, from, actor) => this.#resolve(id, `delete ${from}`, actor),
    mute: async (id, actor) => this.#resolve(id, 'mute', actor),
  };

  readonly events: EventOperations = {
    page: async (query) => this.#state.events.filter((event) => eventMatches(event, query)).slice(0, query.limit),
    count: async ({ severity }) => this.#state.events.filter((event) => event.severity === severity).length,
    acknowledge: async (ids, actor) => {
      this.#state.note('events.ack', actor);
      return ids.length;
    },
  };

  #resolve(id: string, action: string, actor: Actor): DriftView {
    const drift = found(this.#state.drift, id, 'Difference');
    this.#state.note(`drift.${action}`, actor);
    this.#state.drift.delete(id);
    return drift;
  }
}
