import type { z } from 'zod';
import type { DriftView, FlowView, LegView, NodeView, TunnelView } from '../fleet.ts';
import type { EventRow } from '../store/schema.ts';
import type { nodeDetailSchema, nodeSchema, nodeStateSchema, legSchema } from './nodes.ts';
import type { driftSchema, eventSchema } from './watching.ts';
import type { flowSchema, tunnelSchema } from './tunnels.ts';

export type NodesById = ReadonlyMap<string, NodeView>;

type NodeWire = z.input<typeof nodeSchema>;
type NodeStateWire = z.input<typeof nodeStateSchema>;

/** A node in a list. `flaps` are its disconnects in the last 24 h. */
export function nodeWire(node: NodeView, flaps: number): NodeWire {
  const { health } = node;
  const reasons = health?.['reasons'];
  const status = health?.['status'];
  return {
    ...{ id: node.id, name: node.name, kind: node.kind, description: node.description, region: node.region },
    ...{ public_addr: node.public_addr, max_tunnels: node.max_tunnels, state: node.state },
    ...{ state_since: node.state_since, software_version: node.software_version },
    ...{ protocol_version: node.protocol_version, remote_addr: node.remote_addr, instance_id: node.instance_id },
    capabilities: [...node.capabilities],
    health_status: typeof status === 'string' ? status : null,
    health_reasons: Array.isArray(reasons) ? reasons.map(String) : [],
    ...{ legs: node.legs, drift_open: node.drift_open, generation: node.generation, flaps_24h: flaps },
    ...{ draining_at: node.draining_at, disabled_at: node.disabled_at, expires_at: node.expires_at },
    ...{ registration_expires_at: node.registration_expires_at, created_at: node.created_at },
    ...{ updated_at: node.updated_at, last_seen_at: node.last_seen_at, last_compared_at: node.last_compared_at },
  };
}

export function nodeDetailWire(node: NodeView, flaps: number): z.input<typeof nodeDetailSchema> {
  const secrets = node.secrets.map(({ state, created_at }) => ({ state: secretState(state), created_at }));
  return { ...nodeWire(node, flaps), secrets, health: node.health === null ? null : { ...node.health } };
}

function secretState(state: string): 'issued' | 'acknowledged' | 'in_use' {
  return state === 'in_use' || state === 'acknowledged' ? state : 'issued';
}

interface Named {
  readonly node_id: string;
  readonly node_name: string;
  readonly node_state: NodeStateWire;
}

/** A node's id with its name and state; one that is gone is named by its id. */
function named(nodes: NodesById, id: string): Named {
  const node = nodes.get(id);
  return { node_id: id, node_name: node?.name ?? id, node_state: node?.state ?? 'never' };
}

export function legWire(leg: LegView, name: string, nodes: NodesById): z.input<typeof legSchema> {
  const { id, tunnel_id, flow_id, node_id, role, want, generation, pushed_generation, push_status } = leg;
  return {
    ...{ id, tunnel_id, flow_id, name, ...named(nodes, node_id), role, want, generation, pushed_generation },
    ...{ push_status, push_error: leg.push_error, push_error_code: leg.push_error_code, attempts: leg.attempts },
    updated_at: leg.updated_at,
  };
}

export function tunnelWire(tunnel: TunnelView, nodes: NodesById): z.input<typeof tunnelSchema> {
  const { id, name, description, protocol, mode, status, running, generation, region, placement } = tunnel;
  return {
    ...{ id, name, description, protocol, mode, status, running, generation, region, placement },
    source: { ...named(nodes, tunnel.source_node_id), listen: tunnel.source_listen },
    destination: { ...named(nodes, tunnel.destination_node_id), forward: tunnel.destination_forward },
    relays: tunnel.relays.map(({ node_id, relay_addr }) => ({ ...named(nodes, node_id), relay_addr })),
    placement_reason: tunnel.placement_reason,
    ...{ ingress_push_status: tunnel.ingress_push_status, egress_push_status: tunnel.egress_push_status },
    ...{ relay_push_status: tunnel.relay_push_status, push_error: tunnel.push_error },
    ...{ keys_unknown_at: tunnel.keys_unknown_at, keys_created_at: tunnel.keys_created_at },
    ...{ paused_at: tunnel.paused_at, removed_at: tunnel.removed_at, removed_by: tunnel.removed_by },
    ...{ created_at: tunnel.created_at, updated_at: tunnel.updated_at },
  };
}

export function flowWire(flow: FlowView, nodes: NodesById): z.input<typeof flowSchema> {
  const { id, flow_id, name, status, generation, push_status, push_error, push_error_code } = flow;
  return {
    ...{ id, flow_id, name, ...named(nodes, flow.node_id), status, config: { ...flow.config }, generation },
    ...{ push_status, push_error, push_error_code, removed_at: flow.removed_at, removed_by: flow.removed_by },
    ...{ created_at: flow.created_at, updated_at: flow.updated_at },
  };
}

export function driftWire(drift: DriftView, nodes: NodesById): z.input<typeof driftSchema> {
  const { id, node_id, kind, resource, resource_id, name, fields, fingerprint, muted, actions } = drift;
  const node = nodes.get(node_id);
  return {
    ...{ id, node_id, node_name: node?.name ?? node_id, kind, resource, resource_id, name, fingerprint, muted },
    fields: fields.map(({ path, desired, actual }) => ({ path, desired: desired ?? null, actual: actual ?? null })),
    ...{ first_seen_at: drift.first_seen_at, last_seen_at: drift.last_seen_at, actions: { ...actions } },
    last_compared_at: node?.last_compared_at ?? null,
  };
}

export function eventWire(event: EventRow, nodes: NodesById): z.input<typeof eventSchema> {
  const { node_id, severity, category, message, flow_id, tunnel_id, event_id, raised_at, received_at } = event;
  return {
    ...{ id: String(event.id), node_id, node_name: node_id === null ? null : (nodes.get(node_id)?.name ?? null) },
    ...{ severity, category, message, details: detailsOf(event.details), flow_id, tunnel_id, event_id },
    ...{ raised_at, received_at, acknowledged_at: event.acknowledged_at, acknowledged_by: event.acknowledged_by },
  };
}

function detailsOf(text: string | null): Record<string, unknown> | null {
  if (text === null) return null;
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
