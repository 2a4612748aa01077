import { FleetError } from '../../../src/manager/fleet-error.ts';
import type { Actor, DriftView, FleetListener, FlowView, NodeView, TunnelView } from '../../../src/manager/fleet.ts';
import type { EventRow } from '../../../src/manager/store/schema.ts';
import { found } from './fake-rows.ts';
import type { SampleFleet } from './sample-fleet.ts';

/** What the operations of a `FakeFleet` share: its rows, its listeners and the list of changes. */
export class FakeState {
  readonly changes: string[] = [];
  readonly nodes: Map<string, NodeView>;
  readonly tunnels: Map<string, TunnelView>;
  readonly flows: Map<string, FlowView>;
  readonly drift: Map<string, DriftView>;
  readonly listeners = new Set<FleetListener>();
  readonly now: number;
  /** How often the nodes have reported their stats. */
  reports = 0;
  events: readonly EventRow[];

  constructor(now: number, sample: SampleFleet) {
    this.now = now;
    this.nodes = new Map(sample.nodes.map((node) => [node.id, node]));
    this.tunnels = new Map(sample.tunnels.map((tunnel) => [tunnel.id, tunnel]));
    this.flows = new Map(sample.flows.map((flow) => [flow.id, flow]));
    this.drift = new Map(sample.drift.map((drift) => [drift.id, drift]));
    this.events = sample.events;
  }

  putNode(node: NodeView): void {
    this.nodes.set(node.id, node);
    for (const listener of this.listeners) listener.nodesChanged?.([node.id]);
  }

  putTunnel(tunnel: TunnelView): void {
    this.tunnels.set(tunnel.id, tunnel);
    for (const listener of this.listeners) listener.legsChanged?.([tunnel.id], []);
  }

  note(action: string, actor: Actor): void {
    this.changes.push(`${action} by ${actor.name}`);
  }

  /** Throws FleetError `node_offline` unless the node is connected. */
  online(id: string): void {
    const node = found(this.nodes, id, 'Node');
    if (node.state !== 'online') throw new FleetError('node_offline', `Node ${node.name} is not connected`);
  }

  /** Notes what was asked of a connected node. */
  asked(id: string, action: string, actor: Actor): void {
    this.online(id);
    this.note(action, actor);
  }
}
