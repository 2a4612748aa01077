import { z } from 'zod';
import { pushStatusSchema, runningStateSchema, severitySchema, timeSchema } from './common.ts';
import { legRoleSchema, legSchema, nodeStateSchema } from './nodes.ts';

export const tunnelStatusSchema = z.enum(['active', 'pending', 'failed', 'removing', 'paused', 'removed']);

const endSchema = z.object({ node_id: z.string(), node_name: z.string(), node_state: nodeStateSchema });

export const tunnelSchema = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  protocol: z.enum(['tcp', 'udp']),
  mode: z.string(),
  status: tunnelStatusSchema,
  running: z.object({ source: runningStateSchema, destination: runningStateSchema }),
  generation: z.int(),
  source: endSchema.extend({ listen: z.string() }),
  destination: endSchema.extend({ forward: z.string() }),
  region: z.string().nullable(),
  relays: z.array(endSchema.extend({ relay_addr: z.string() })),
  placement: z.enum(['fixed', 'auto']),
  placement_reason: z.string().nullable(),
  ingress_push_status: pushStatusSchema.nullable(),
  egress_push_status: pushStatusSchema.nullable(),
  relay_push_status: pushStatusSchema.nullable(),
  push_error: z.string().nullable(),
  keys_unknown_at: timeSchema.nullable(),
  keys_created_at: timeSchema.nullable(),
  paused_at: timeSchema.nullable(),
  removed_at: timeSchema.nullable(),
  removed_by: z.enum(['operator', 'ghost']).nullable(),
  created_at: timeSchema,
  updated_at: timeSchema,
});

/** What one node's last stats say about its part of a tunnel. Null figures were not reported. */
export const tunnelSideSchema = z.object({
  node_id: z.string(),
  role: legRoleSchema,
  at: timeSchema.nullable(),
  running: runningStateSchema,
  detail: z.string().nullable(),
  rtt_ms: z.number().nullable(),
  loss_percent: z.number().nullable(),
  bits_in_per_sec: z.number().nullable(),
  bits_out_per_sec: z.number().nullable(),
  active_relay_addr: z.string().nullable(),
  drops: z.record(z.string(), z.number()),
});

export const tunnelDetailSchema = tunnelSchema.extend({
  legs: z.array(legSchema),
  sides: z.array(tunnelSideSchema),
});

/** Answer of a write: the tunnel, and what the operator should know about it. */
export const tunnelWrittenSchema = tunnelDetailSchema.extend({ warnings: z.array(z.string()) });

export const whySchema = z.object({
  verdict: z.enum(['ok', 'waiting', 'broken']),
  summary: z.string(),
  findings: z.array(
    z.object({
      level: z.enum(['problem', 'note', 'good']),
      text: z.string(),
      remedy: z.string().nullable(),
      node_id: z.string().nullable(),
    }),
  ),
});

/** Events and audit rows of one tunnel or flow, newest first. */
export const historyEntrySchema = z.object({
  at: timeSchema,
  kind: z.enum(['event', 'audit']),
  severity: severitySchema,
  text: z.string(),
  actor: z.string().nullable(),
  node_id: z.string().nullable(),
});

export const flowSchema = z.object({
  id: z.string(),
  /** The flow's id in the node's own config. */
  flow_id: z.string(),
  name: z.string(),
  node_id: z.string(),
  node_name: z.string(),
  node_state: nodeStateSchema,
  status: tunnelStatusSchema,
  config: z.record(z.string(), z.unknown()),
  generation: z.int(),
  push_status: pushStatusSchema.nullable(),
  push_error: z.string().nullable(),
  push_error_code: z.string().nullable(),
  removed_at: timeSchema.nullable(),
  removed_by: z.enum(['operator', 'ghost']).nullable(),
  created_at: timeSchema,
  updated_at: timeSchema,
});

export type TunnelStatus = z.output<typeof tunnelStatusSchema>;
export type TunnelRow = z.output<typeof tunnelSchema>;
export type TunnelDetail = z.output<typeof tunnelDetailSchema>;
export type TunnelWritten = z.output<typeof tunnelWrittenSchema>;
export type TunnelSide = z.output<typeof tunnelSideSchema>;
export type Why = z.output<typeof whySchema>;
export type HistoryEntry = z.output<typeof historyEntrySchema>;
export type FlowRow = z.output<typeof flowSchema>;
