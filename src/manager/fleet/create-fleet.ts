import { withoutKeys } from '../../lib/without-keys.ts';
import type { Actor, Fleet, InstanceView, Overview } from '../fleet.ts';
import type { PlanLeg } from '../reconcile/plan-leg.ts';
import type { LegRow } from '../store/schema.ts';
import { DriftIngest } from './drift-ingest.ts';
import { FleetDrift } from './drift-operations.ts';
import { FleetCore, type FleetDependencies, type FleetLimits } from './fleet-core.ts';
import { FleetFlows } from './flow-operations.ts';
import { FleetNodes } from './node-operations.ts';
import { NodeReader } from './node-reader.ts';
import { RelayPlaces } from './relay-places.ts';
import { SecretRotation } from './secret-rotation.ts';
import { TunnelEditor } from './tunnel-editor.ts';
import { FleetTunnels } from './tunnel-operations.ts';
import { countByStatus } from './views.ts';

const system: Actor = { name: 'manager', kind: 'system', role: 'admin', ip: null };
const hourMs = 3_600_000;
const restoreMs = 30 * 86_400_000;

export interface RunningFleet {
  readonly fleet: Fleet;
  /** A push failed for too long: true when what it was for is removed. One that carries traffic stays. */
  removeGhost(leg: PlanLeg, nodeId: string): Promise<boolean>;
}

export function createFleet(dependencies: FleetDependencies, limits: FleetLimits): RunningFleet {
  const core = new FleetCore(dependencies, limits);
  const reader = new NodeReader(core);
  const editor = new TunnelEditor(core, new RelayPlaces(core));
  const flows = new FleetFlows(core);
  const { store, feed } = dependencies;
  const fleet: Fleet = {
    nodes: new FleetNodes(core, { reader, rotation: new SecretRotation(core), tunnels: editor, flows }),
    tunnels: new FleetTunnels(core, { editor, reader }),
    flows,
    drift: new FleetDrift(core, { editor, flows, ingest: new DriftIngest(core, { editor, flows }) }),
    events: {
      page: (query) => store.events.page(query),
      count: (query) => store.events.count(query),
      acknowledge: (ids, actor) =>
        core.change(actor, 'events.acknowledge', `${ids.length} events`, async (inside) => {
          return { result: await inside.events.acknowledge(ids, actor.name, core.now()) };
        }),
    },
    overview: () => overview(core, reader),
    instances: () => instances(core),
    subscribe: (listener) => feed.subscribe(listener),
  };
  return { fleet, removeGhost: (leg, nodeId) => removeGhost(core, { reader, editor, flows }, leg, nodeId) };
}

async function overview(core: FleetCore, reader: NodeReader): Promise<Overview> {
  const { store } = core.dependencies;
  const [nodes, legs, drift, critical, changed] = await Promise.all([
    reader.states(),
    store.legs.counts(),
    store.drift.countsByNode(),
    store.events.count({ severity: 'critical', unacknowledged: true }),
    store.events.count({ from: core.now() - hourMs }),
  ]);
  return {
    nodes,
    legs: countByStatus(legs),
    drift_open: drift.reduce((sum, { count }) => sum + count, 0),
    critical_unacknowledged: critical,
    changed_last_hour: changed,
  };
}

async function instances(core: FleetCore): Promise<readonly InstanceView[]> {
  const { store, leaseMs, instanceId } = core.dependencies;
  const [rows, sessions] = await Promise.all([store.instances.all(), store.sessions.live(leaseMs, instanceId())]);
  return rows.map(({ age_ms: age, ...row }) => ({
    ...withoutKeys(row, 'heartbeat_at'),
    lease_age_ms: age,
    alive: age < leaseMs,
    self: row.id === instanceId(),
    nodes: sessions.filter((session) => session.instance_id === row.id).length,
  }));
}

interface Editors {
  readonly reader: NodeReader;
  readonly editor: TunnelEditor;
  readonly flows: FleetFlows;
}

async function removeGhost(core: FleetCore, editors: Editors, leg: PlanLeg, nodeId: string): Promise<boolean> {
  const { store } = core.dependencies;
  const row = (await store.legs.ofNode(nodeId)).find(({ id }) => id === leg.id);
  if (row === undefined) return true;
  // What is to go anyway stays until its node has forgotten it.
  if (row.want === 'absent') return false;
  if (row.flow_id !== null) {
    if (await editors.flows.removeAs(row.flow_id, 'ghost', null, system)) tellGhost(core, leg, nodeId, [row]);
    return true;
  }
  const tunnel = await editors.editor.row(leg.resourceId);
  const ends = [tunnel.source_node_id, tunnel.destination_node_id];
  const ready = await Promise.all(ends.map((id) => editors.reader.isReady(id, tunnel.id)));
  if (ready.includes(true)) return false;
  const legs = await store.legs.ofTunnels([tunnel.id]);
  if (await editors.editor.removeAs(tunnel.id, 'ghost', null, system)) tellGhost(core, leg, nodeId, legs);
  return true;
}

function tellGhost(core: FleetCore, leg: PlanLeg, nodeId: string, rows: readonly LegRow[]): void {
  const { resource, name, role, generation, resourceId } = leg;
  const minutes = Math.floor(leg.failedForMs / 60_000);
  const message = `Removed ${resource} '${name}': push failed for ${minutes} min while the node was online`;
  const legs = rows.map((row) => ({ role: row.role, node_id: row.node_id, error: row.push_error }));
  const details = { resource, name, role, generation, legs, restore_until: core.now() + restoreMs };
  const tunnelId = resource === 'tunnel' ? resourceId : null;
  const about = { flowId: resourceId, tunnelId };
  core.dependencies.events.raise(nodeId, 'warning', 'config_sync.ghost_cleanup', message, details, about);
}
