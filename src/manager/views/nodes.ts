import { z } from 'zod';
import { pushStatusSchema, timeSchema } from './common.ts';

/** `reconnecting` is an offline node within `offline_grace_secs`; `never` has not registered yet. */
export const nodeStateSchema = z.enum(['online', 'reconnecting', 'offline', 'never', 'disabled', 'expired']);

export const nodeKindSchema = z.enum(['relay', 'edge', 'observer', 'other']);

export const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: nodeKindSchema,
  description: z.string(),
  region: z.string().nullable(),
  public_addr: z.string().nullable(),
  max_tunnels: z.int().nullable(),
  state: nodeStateSchema,
  state_since: timeSchema.nullable(),
  software_version: z.string().nullable(),
  protocol_version: z.int().nullable(),
  remote_addr: z.string().nullable(),
  instance_id: z.string().nullable(),
  capabilities: z.array(z.string()),
  health_status: z.string().nullable(),
  health_reasons: z.array(z.string()),
  legs: z.object({ pending: z.int(), pushing: z.int(), pushed: z.int(), failed: z.int() }),
  drift_open: z.int(),
  generation: z.int(),
  flaps_24h: z.int(),
  draining_at: timeSchema.nullable(),
  disabled_at: timeSchema.nullable(),
  expires_at: timeSchema.nullable(),
  registration_expires_at: timeSchema.nullable(),
  created_at: timeSchema,
  updated_at: timeSchema,
  last_seen_at: timeSchema.nullable(),
  last_compared_at: timeSchema.nullable(),
});

const nodeSecretSchema = z.object({
  state: z.enum(['issued', 'acknowledged', 'in_use']),
  created_at: timeSchema,
});

export const nodeDetailSchema = nodeSchema.extend({
  secrets: z.array(nodeSecretSchema),
  health: z.record(z.string(), z.unknown()).nullable(),
});

/** The last stats frame, and the recent past of the figures that the page draws. Null figures were not reported. */
export const nodeStatsSchema = z.object({
  at: timeSchema.nullable(),
  stats: z.record(z.string(), z.unknown()).nullable(),
  history: z.array(
    z.object({
      at: timeSchema,
      bytes_per_sec: z.number().nullable(),
      tunnels: z.number().nullable(),
      peers: z.number().nullable(),
    }),
  ),
});

/** `ingress` is the source side and `egress` the destination side, as the push status columns name them. */
export const legRoleSchema = z.enum(['ingress', 'egress', 'relay', 'secondary_relay', 'flow']);

export const legSchema = z.object({
  id: z.string(),
  tunnel_id: z.string().nullable(),
  flow_id: z.string().nullable(),
  name: z.string(),
  node_id: z.string(),
  node_name: z.string(),
  node_state: nodeStateSchema,
  role: legRoleSchema,
  want: z.enum(['present', 'absent']),
  generation: z.int(),
  pushed_generation: z.int().nullable(),
  push_status: pushStatusSchema,
  push_error: z.string().nullable(),
  push_error_code: z.string().nullable(),
  attempts: z.int(),
  updated_at: timeSchema,
});

export type NodeState = z.output<typeof nodeStateSchema>;
export type NodeRow = z.output<typeof nodeSchema>;
export type NodeDetail = z.output<typeof nodeDetailSchema>;
export type NodeStats = z.output<typeof nodeStatsSchema>;
export type LegRow = z.output<typeof legSchema>;
