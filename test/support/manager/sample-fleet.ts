import type { DriftView, FlowView, LegView, NodeState, NodeView, TunnelView } from '../../../src/manager/fleet.ts';
import { driftActions } from '../../../src/manager/fleet/drift-view.ts';
import type { EventRow, LegRole, PushStatus } from '../../../src/manager/store/schema.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

export interface SampleFleet {
  readonly nodes: readonly NodeView[];
  readonly tunnels: readonly TunnelView[];
  readonly flows: readonly FlowView[];
  readonly drift: readonly DriftView[];
  readonly events: readonly EventRow[];
}

export interface SampleSize {
  readonly nodes: number;
  readonly tunnels: number;
}

const regions = ['eu-central', 'eu-west', 'eu-north', 'us-east'];
const relayNames = ['relay-fra-1', 'relay-ams-1', 'relay-sto-1', 'relay-nyc-1'];
const sites = ['studio', 'venue', 'truck', 'campus', 'stadium'];
const portConflict = "port_conflict: 0.0.0.0:5002 is in use by tunnel 'camera-7'";

/** A fleet as an operator would see it: four relays, edges, tunnels, one broken leg, some drift, some events. */
export function sampleFleet(now: number, { nodes: nodeCount, tunnels: tunnelCount }: SampleSize): SampleFleet {
  const nodes = Array.from({ length: nodeCount }, (_, index) => sampleNode(index, now));
  const edges = nodes.slice(4);
  const tunnels = Array.from({ length: tunnelCount }, (_, index) => sampleTunnel(index, edges, nodes, now));
  return {
    nodes,
    tunnels,
    flows: sampleFlows(edges, now),
    drift: sampleDrift(edges, now),
    events: sampleEvents(nodes, now),
  };
}

function uuid(kind: number, index: number): string {
  return `${kind.toString(16).padStart(8, '0')}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`;
}

function stateOf(index: number): NodeState {
  if (index < 4) return 'online';
  if (index % 11 === 7) return 'offline';
  if (index % 17 === 9) return 'never';
  return index % 19 === 12 ? 'reconnecting' : 'online';
}

function sampleNode(index: number, now: number): NodeView {
  return index < 4 ? sampleRelay(index, now) : sampleEdge(index, now);
}

function sampleRelay(index: number, now: number): NodeView {
  const name = relayNames[index] ?? '';
  const reasons = index === 3 ? ['event loop lags by 120 ms'] : [];
  return {
    ...commonNode(index, now),
    ...{ name, kind: 'relay', region: regions[index] ?? null, public_addr: `${name}.example:4433`, max_tunnels: 200 },
    ...{ draining_at: index === 2 ? now - 3 * minuteMs : null, capabilities: [] },
    health: { status: reasons.length > 0 ? 'degraded' : 'ok', reasons },
    legs: { pushed: 22, pushing: 0, pending: 0, failed: 0 },
  };
}

function sampleEdge(index: number, now: number): NodeView {
  const state = stateOf(index);
  const node: NodeView = {
    ...commonNode(index, now),
    ...{ name: `${sites[index % sites.length] ?? 'site'}-edge-${index}`, state, drift_open: index === 8 ? 2 : 0 },
    legs: { pushed: 3, pushing: 0, pending: state === 'offline' ? 2 : 0, failed: index === 6 ? 1 : 0 },
  };
  return state === 'never' ? { ...node, ...unseen } : node;
}

/** Beside the sample fleet: an observer that watches the processes of its host. */
export function sampleObserver(now: number): NodeView {
  return {
    ...commonNode(9_000, now),
    ...{ name: 'observer-fra-3', kind: 'observer', capabilities: [] },
    legs: { pushed: 0, pushing: 0, pending: 0, failed: 0 },
  };
}

const unseen = {
  ...{ software_version: null, protocol_version: null, last_seen_at: null, last_compared_at: null, state_since: null },
  ...{ remote_addr: null, health: null, secrets: [] },
} as const;

function commonNode(index: number, now: number): NodeView {
  return {
    ...{ id: uuid(1, index), name: '', kind: 'edge', description: '', region: null, public_addr: null },
    ...{ max_tunnels: null, draining_at: null, registration_expires_at: null, registration_used_at: null },
    ...{ expires_at: null, disabled_at: null, software_version: '0.1.0', protocol_version: 1, generation: 3 },
    ...{ last_seen_at: now - 1_000, last_compared_at: now - 9 * minuteMs, created_at: now - 90 * dayMs },
    ...{ updated_at: now - 5 * minuteMs, state: 'online', state_since: now - (index * 37 + 3) * minuteMs },
    remote_addr: `198.51.100.${index % 250}:${40_000 + (index % 9_000)}`,
    ...{ instance_id: 'manager-a', capabilities: ['tunnels'], health: { status: 'ok', reasons: [] }, drift_open: 0 },
    legs: { pushed: 3, pushing: 0, pending: 0, failed: 0 },
    secrets: [{ state: 'in_use', created_at: now - 20 * dayMs }],
  };
}

function sampleLeg(owner: string, role: LegRole, node: NodeView, failed: boolean, now: number): LegView {
  return {
    ...{ id: `${owner}-${role}`, tunnel_id: owner, flow_id: null, node_id: node.id, role, want: 'present' },
    ...{ generation: 3, pushed_generation: 3, push_status: failed ? 'failed' : 'pushed' },
    ...{ push_error: failed ? portConflict : null, push_error_code: failed ? 'port_conflict' : null, attempts: 1 },
    updated_at: now - 9 * minuteMs,
  };
}

function sampleTunnel(index: number, edges: readonly NodeView[], nodes: readonly NodeView[], now: number): TunnelView {
  const id = uuid(2, index);
  const failed = index === 2;
  const pick = (from: readonly NodeView[], at: number): NodeView => from[at % from.length] ?? sampleNode(0, now);
  const [source, destination] = [pick(edges, index), pick(edges, index * 7 + 3)];
  const relays = [pick(nodes.slice(0, 2), index), pick(nodes.slice(2, 4), index)];
  const pushed: PushStatus = 'pushed';
  return {
    ...{ id, name: `camera-${index}`, description: '', protocol: index % 4 === 0 ? 'tcp' : 'udp', transport: 'quic' },
    ...{
      mode: 'relay',
      placement: 'auto',
      region: null,
      source_node_id: source.id,
      destination_node_id: destination.id,
    },
    placement_reason: 'the two healthy relays with most room, in different regions',
    ...{ source_listen: `0.0.0.0:${5_000 + (index % 4_000)}`, destination_forward: `192.0.2.${index % 250}:6000` },
    ...{ keys_created_at: now - 7 * dayMs, keys_unknown_at: null, generation: 3, removed_at: null, removed_by: null },
    ...{ paused_at: index === 9 ? now : null, created_at: now - 7 * dayMs, updated_at: now - 9 * minuteMs },
    status: failed ? 'failed' : statusOf(index),
    relays: relays.map((relay) => ({ node_id: relay.id, relay_addr: relay.public_addr ?? '' })),
    legs: [
      sampleLeg(id, 'ingress', source, failed, now),
      sampleLeg(id, 'egress', destination, false, now),
      ...relays.map((relay, at) => sampleLeg(id, at === 0 ? 'relay' : 'secondary_relay', relay, false, now)),
    ],
    ...{ ingress_push_status: failed ? 'failed' : pushed, egress_push_status: pushed, relay_push_status: pushed },
    push_error: failed ? portConflict : null,
    running: runningOf(index),
  };
}

function runningOf(index: number): TunnelView['running'] {
  if (index === 2) return { source: 'down', destination: 'waiting' };
  if (index === 9) return { source: 'stopped', destination: 'stopped' };
  return { source: index === 5 ? 'waiting' : 'ready', destination: 'ready' };
}

function statusOf(index: number): TunnelView['status'] {
  if (index === 5) return 'pending';
  return index === 9 ? 'paused' : 'active';
}

function sampleFlows(edges: readonly NodeView[], now: number): FlowView[] {
  return edges.slice(1, 3).map((node, index) => ({
    ...{ id: uuid(3, index), node_id: node.id, flow_id: `flow-${index}`, name: index === 0 ? 'Main stage' : 'Backup' },
    ...{ generation: 1, removed_at: null, removed_by: null, created_at: now - dayMs, updated_at: now - 9 * minuteMs },
    config: {
      id: `flow-${index}`,
      name: index === 0 ? 'Main stage' : 'Backup',
      input: { type: 'srt', mode: 'listener', local_addr: '0.0.0.0:9000' },
      outputs: [
        { id: 'studio', type: 'srt', mode: 'caller', remote_addr: '192.0.2.10:9001' },
        { id: 'archive', type: 'srt', mode: 'caller', remote_addr: '192.0.2.20:9002' },
      ],
    },
    ...{ status: index === 0 ? 'active' : 'failed', push_status: index === 0 ? 'pushed' : 'failed', legs: [] },
    push_error: index === 0 ? null : 'outputs[0].port is not a number',
    push_error_code: index === 0 ? null : 'validation_error',
  }));
}

function sampleDrift(edges: readonly NodeView[], now: number): DriftView[] {
  const node_id = edges[4]?.id ?? '';
  const common = { node_id, resource: 'tunnel', muted: false, muted_fingerprint: null, resolved_at: null } as const;
  const times = { first_seen_at: now - 9 * minuteMs, last_seen_at: now, resolution: null };
  const differs = { path: 'local_addr', desired: '0.0.0.0:9001', actual: '0.0.0.0:9000' };
  const strange = Object.entries({ protocol: 'udp', direction: 'egress', local_addr: '0.0.0.0:7000' });
  const only = strange.map(([path, actual]) => ({ path, desired: null, actual }));
  return [
    sample('mismatched', { ...common, ...times, id: uuid(4, 0), resource_id: uuid(2, 4), name: 'camera-4' }, [differs]),
    sample(
      'extraneous',
      { ...common, ...times, id: uuid(4, 1), resource_id: uuid(2, 99_999), name: 'test-by-hand' },
      only,
    ),
  ];
}

function sample(
  kind: DriftView['kind'],
  rest: Omit<DriftView, 'kind' | 'fields' | 'fingerprint' | 'actions'>,
  fields: DriftView['fields'],
): DriftView {
  return {
    ...rest,
    kind,
    fields,
    fingerprint: rest.id,
    actions: driftActions({ kind, resource: rest.resource }, fields),
  };
}

const stories = [
  ['info', 'connection', 'Node connected to manager', 5, null],
  ['info', 'tunnel', 'Tunnel active (both sides bound)', 1, 3],
  ['warning', 'config_sync.drift_mismatched', "tunnel 'camera-4' differs on the node: local_addr", 8, 4],
  ['critical', 'connection', 'Node disconnected from manager', 7, null],
  ['warning', 'config_sync.push_failed', `Push of tunnel 'camera-2' (ingress) failed: ${portConflict}`, 6, 2],
] as const;

function sampleEvents(nodes: readonly NodeView[], now: number): EventRow[] {
  return Array.from({ length: 200 }, (_, index) => {
    const [severity, category, message, node, tunnel] = stories[index % stories.length] ?? stories[0];
    const raised_at = now - index * 3 * minuteMs;
    const tunnel_id = tunnel === null ? null : uuid(2, tunnel);
    const instance_id = category === 'tunnel' ? null : 'manager-a';
    return {
      ...{ id: 1_000 - index, node_id: nodes[node]?.id ?? null, instance_id, severity, category, message },
      ...{ details: '{"attempt":1}', flow_id: tunnel_id, tunnel_id, event_id: null, raised_at, received_at: raised_at },
      ...{ acknowledged_at: index > 40 ? now : null, acknowledged_by: index > 40 ? 'alice' : null },
    };
  });
}
