import { FleetError } from '../../../src/manager/fleet-error.ts';
import type {
  Actor,
  DriftOperations,
  DriftView,
  EventOperations,
  Fleet,
  FleetListener,
  FlowOperations,
  FlowView,
  InstanceView,
  NodeOperations,
  NodeView,
  Overview,
  TunnelOperations,
  TunnelView,
} from '../../../src/manager/fleet.ts';
import type { EventRow } from '../../../src/manager/store/schema.ts';
import { eventMatches, filterRemoved, found, paged, refuseStale } from './fake-rows.ts';
import { sampleFleet, type SampleSize } from './sample-fleet.ts';
import { sampleStats } from './sample-node-stats.ts';

/** A fleet in memory with sample content: what API and page are tried against without nodes. Records each change. */
export class FakeFleet implements Fleet {
  readonly changes: string[] = [];
  readonly #nodes: Map<string, NodeView>;
  readonly #tunnels: Map<string, TunnelView>;
  readonly #flows: Map<string, FlowView>;
  readonly #drift: Map<string, DriftView>;
  readonly #listeners = new Set<FleetListener>();
  readonly #now: number;
  #reports = 0;
  #events: EventRow[];

  constructor(now: number, size: SampleSize) {
    const sample = sampleFleet(now, size);
    this.#now = now;
    this.#nodes = new Map(sample.nodes.map((node) => [node.id, node]));
    this.#tunnels = new Map(sample.tunnels.map((tunnel) => [tunnel.id, tunnel]));
    this.#flows = new Map(sample.flows.map((flow) => [flow.id, flow]));
    this.#drift = new Map(sample.drift.map((drift) => [drift.id, drift]));
    this.#events = [...sample.events];
  }

  subscribe(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As the fleet would after a change of the node. */
  putNode(node: NodeView): void {
    this.#nodes.set(node.id, node);
    for (const listener of this.#listeners) listener.nodesChanged?.([node.id]);
  }

  putTunnel(tunnel: TunnelView): void {
    this.#tunnels.set(tunnel.id, tunnel);
    for (const listener of this.#listeners) listener.legsChanged?.([tunnel.id], []);
  }

  /** Every connected node reports its stats. */
  report(): void {
    this.#reports += 1;
    for (const { id, state } of this.#nodes.values()) {
      if (state !== 'online') continue;
      for (const listener of this.#listeners) listener.statsReceived?.(id);
    }
  }

  storeEvent(event: EventRow): void {
    this.#events = [event, ...this.#events];
    for (const listener of this.#listeners) listener.eventsStored?.([event]);
  }

  async overview(): Promise<Overview> {
    const nodes = { online: 0, reconnecting: 0, offline: 0, never: 0, disabled: 0, expired: 0 };
    const legs = { pending: 0, pushing: 0, pushed: 0, failed: 0 };
    for (const { state } of this.#nodes.values()) nodes[state] += 1;
    for (const leg of Array.from(this.#tunnels.values()).flatMap((tunnel) => tunnel.legs)) legs[leg.push_status] += 1;
    return { nodes, legs, drift_open: this.#drift.size, critical_unacknowledged: 3, changed_last_hour: 19 };
  }

  async instances(): Promise<readonly InstanceView[]> {
    const common = { version: '0.1.0', started_at: this.#now - 86_400_000 };
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

  readonly nodes: NodeOperations = {
    page: async (query) => paged(this.#nodes.values(), query),
    get: async (id) => found(this.#nodes, id, 'Node'),
    create: async (input, actor) => {
      if (Array.from(this.#nodes.values()).some(({ name }) => name === input.name)) {
        throw new FleetError('name_taken', `There is a node '${input.name}' already`);
      }
      const [sample] = this.#nodes.values();
      if (sample === undefined) throw new TypeError('an empty fleet');
      const id = `00000005-0000-4000-8000-${String(this.#nodes.size).padStart(12, '0')}`;
      const node: NodeView = {
        ...{ ...sample, id, name: input.name, kind: input.kind ?? 'edge', state: 'never', generation: 1 },
        ...{ description: input.description ?? '', region: input.region ?? null, secrets: [] },
      };
      this.#note('node.create', actor);
      this.putNode(node);
      return { node, registration_token: 'canary-registration-token' };
    },
    patch: async (id, change, generation, actor) => {
      const node = found(this.#nodes, id, 'Node');
      refuseStale(node.generation, generation);
      this.#note('node.patch', actor);
      this.putNode({ ...node, name: change.name ?? node.name, generation: node.generation + 1 });
      return found(this.#nodes, id, 'Node');
    },
    remove: async (id, force, actor) => {
      const node = found(this.#nodes, id, 'Node');
      if (!force && node.legs.pushed > 0) throw new FleetError('in_use', 'Tunnels use this node');
      this.#note('node.delete', actor);
      this.#nodes.delete(id);
    },
    newToken: async (id, actor) => {
      found(this.#nodes, id, 'Node');
      this.#note('node.token', actor);
      return { registration_token: 'canary-registration-token', expires_at: this.#now + 86_400_000 };
    },
    rotateSecret: async (id, _revoke, actor) => {
      this.#online(id);
      this.#note('node.rotate_secret', actor);
      return { outcome: 'unconfirmed' };
    },
    setDisabled: async (id, disabled, actor) => {
      const node = found(this.#nodes, id, 'Node');
      this.#note('node.disable', actor);
      this.putNode({ ...node, disabled_at: disabled ? this.#now : null, state: disabled ? 'disabled' : 'offline' });
      return found(this.#nodes, id, 'Node');
    },
    disconnect: async (id, actor) => this.#asked(id, 'node.disconnect', actor),
    setDraining: async (id, _draining, actor) => {
      found(this.#nodes, id, 'Node');
      this.#note('node.drain', actor);
      return { moved: [], kept: [] };
    },
    stats: async (id) => {
      const node = this.#nodes.get(id);
      return node?.state === 'online'
        ? { at: this.#now, payload: sampleStats(node, Array.from(this.#tunnels.values()), this.#reports) }
        : null;
    },
    legs: async (id) => {
      found(this.#nodes, id, 'Node');
      const legs = Array.from(this.#tunnels.values()).flatMap((tunnel) => tunnel.legs);
      return legs.filter(({ node_id }) => node_id === id);
    },
    config: async (id) => {
      this.#online(id);
      return {
        tunnels: [],
        manager: { node_secret: 'canary-node-secret', urls: ['wss://manager.example:8443/ws/node'] },
      };
    },
    reconcile: async (id, actor) => this.#asked(id, 'node.reconcile', actor),
    command: async (id, action, actor) => {
      this.#online(id);
      this.#note(`node.command ${action.type}`, actor);
      return { success: true, data: { node_secret: 'canary-node-secret', ok: true } };
    },
  };

  readonly tunnels: TunnelOperations = {
    page: async (query) => paged(filterRemoved(this.#tunnels.values(), query.removed ?? false), query),
    get: async (id) => found(this.#tunnels, id, 'Tunnel'),
    create: async (input, actor) => {
      const [sample] = this.#tunnels.values();
      if (sample === undefined) throw new TypeError('an empty fleet');
      for (const id of [input.source.node_id, input.destination.node_id]) {
        if (!this.#nodes.has(id)) throw new FleetError('invalid', `Node '${id}' not found`);
      }
      this.#note('tunnel.create', actor);
      const id = input.id ?? `00000006-0000-4000-8000-${String(this.#tunnels.size).padStart(12, '0')}`;
      this.putTunnel({ ...sample, id, name: input.name, generation: 1, status: 'pending' });
      return { tunnel: found(this.#tunnels, id, 'Tunnel'), warnings: [] };
    },
    patch: async (id, change, generation, actor) => {
      const tunnel = found(this.#tunnels, id, 'Tunnel');
      refuseStale(tunnel.generation, generation);
      this.#note('tunnel.patch', actor);
      this.putTunnel({ ...tunnel, name: change.name ?? tunnel.name, generation: tunnel.generation + 1 });
      return { tunnel: found(this.#tunnels, id, 'Tunnel'), warnings: [] };
    },
    remove: async (id, generation, actor) => {
      const tunnel = found(this.#tunnels, id, 'Tunnel');
      refuseStale(tunnel.generation, generation);
      this.#note('tunnel.delete', actor);
      this.putTunnel({ ...tunnel, removed_at: this.#now, removed_by: 'operator', status: 'removed' });
      return found(this.#tunnels, id, 'Tunnel');
    },
    restore: async (id, actor) => {
      this.#changeTunnel(id, { removed_at: null, removed_by: null, status: 'pending' }, 'restore', actor);
      return { tunnel: found(this.#tunnels, id, 'Tunnel'), warnings: [] };
    },
    pause: async (id, actor) => this.#changeTunnel(id, { paused_at: this.#now, status: 'paused' }, 'pause', actor),
    resume: async (id, actor) => this.#changeTunnel(id, { paused_at: null, status: 'pending' }, 'resume', actor),
    retry: async (id, actor) => this.#changeTunnel(id, {}, 'retry', actor),
    rotateKeys: async (id, actor) => this.#changeTunnel(id, { keys_created_at: this.#now }, 'rotate_keys', actor),
    keys: async (id, actor) => {
      this.#changeTunnel(id, {}, 'keys', actor);
      return { encryption_key: 'canary-encryption-key', bind_secret: 'canary-bind-secret' };
    },
    why: async (id) => {
      const { push_error, name } = found(this.#tunnels, id, 'Tunnel');
      return push_error === null
        ? [{ level: 'good', text: 'Both sides are bound and traffic flows.', remedy: null, node_id: null }]
        : [
            {
              level: 'problem',
              text: `The destination refuses ${name}: ${push_error}`,
              remedy: 'Choose another port.',
              node_id: null,
            },
          ];
    },
  };

  readonly flows: FlowOperations = {
    page: async (query) => paged(filterRemoved(this.#flows.values(), query.removed ?? false), query),
    get: async (id) => found(this.#flows, id, 'Flow'),
    create: async (input, actor) => {
      if (!this.#nodes.has(input.node_id)) throw new FleetError('invalid', `Node '${input.node_id}' not found`);
      const [sample] = this.#flows.values();
      if (sample === undefined) throw new TypeError('empty');
      const id = `00000007-0000-4000-8000-${String(this.#flows.size).padStart(12, '0')}`;
      return this.#putFlow({ ...sample, id, config: input.config, name: input.name ?? 'flow' }, 'create', actor);
    },
    patch: async (id, change, generation, actor) => {
      const flow = found(this.#flows, id, 'Flow');
      refuseStale(flow.generation, generation);
      const config = change.config ?? flow.config;
      return this.#putFlow(
        { ...flow, name: change.name ?? flow.name, config, generation: flow.generation + 1 },
        'patch',
        actor,
      );
    },
    remove: async (id, generation, actor) => {
      const flow = found(this.#flows, id, 'Flow');
      refuseStale(flow.generation, generation);
      return this.#putFlow({ ...flow, removed_at: this.#now, removed_by: 'operator' }, 'delete', actor);
    },
    restore: async (id, actor) =>
      this.#putFlow({ ...found(this.#flows, id, 'Flow'), removed_at: null }, 'restore', actor),
    retry: async (id, actor) => this.#putFlow(found(this.#flows, id, 'Flow'), 'retry', actor),
  };

  readonly drift: DriftOperations = {
    page: async (query) => paged(this.#drift.values(), query),
    get: async (id) => found(this.#drift, id, 'Difference'),
    repush: async (id, actor) => this.#resolve(id, 'repush', actor),
    ingest: async (id, actor) => this.#resolve(id, 'ingest', actor),
    remove: async (id, from, actor) => this.#resolve(id, `delete ${from}`, actor),
    mute: async (id, actor) => this.#resolve(id, 'mute', actor),
  };

  readonly events: EventOperations = {
    page: async (query) => this.#events.filter((event) => eventMatches(event, query)).slice(0, query.limit),
    count: async ({ severity }) => this.#events.filter((event) => event.severity === severity).length,
    acknowledge: async (ids, actor) => {
      this.#note('events.ack', actor);
      return ids.length;
    },
  };

  #asked(id: string, action: string, actor: Actor): void {
    this.#online(id);
    this.#note(action, actor);
  }

  #online(id: string): void {
    const node = found(this.#nodes, id, 'Node');
    if (node.state !== 'online') throw new FleetError('node_offline', `Node ${node.name} is not connected`);
  }

  #changeTunnel(id: string, change: Partial<TunnelView>, action: string, actor: Actor): TunnelView {
    const tunnel = found(this.#tunnels, id, 'Tunnel');
    this.#note(`tunnel.${action}`, actor);
    this.putTunnel({ ...tunnel, ...change });
    return found(this.#tunnels, id, 'Tunnel');
  }

  #putFlow(flow: FlowView, action: string, actor: Actor): FlowView {
    this.#note(`flow.${action}`, actor);
    this.#flows.set(flow.id, flow);
    return flow;
  }

  #resolve(id: string, action: string, actor: Actor): DriftView {
    const drift = found(this.#drift, id, 'Difference');
    this.#note(`drift.${action}`, actor);
    this.#drift.delete(id);
    return drift;
  }

  #note(action: string, actor: Actor): void {
    this.changes.push(`${action} by ${actor.name}`);
  }
}
