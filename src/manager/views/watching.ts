import { z } from 'zod';
import { severitySchema, timeSchema } from './common.ts';

export const eventSchema = z.object({
  id: z.string(),
  node_id: z.string().nullable(),
  node_name: z.string().nullable(),
  severity: severitySchema,
  category: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).nullable(),
  flow_id: z.string().nullable(),
  tunnel_id: z.string().nullable(),
  event_id: z.string().nullable(),
  raised_at: timeSchema,
  received_at: timeSchema,
  acknowledged_at: timeSchema.nullable(),
  acknowledged_by: z.string().nullable(),
});

export const eventCountSchema = z.object({
  total: z.int(),
  by_severity: z.object({ info: z.int(), warning: z.int(), critical: z.int() }),
});

export const driftActionNameSchema = z.enum(['repush', 'ingest', 'delete_node', 'delete_manager', 'mute']);

export const driftSchema = z.object({
  id: z.string(),
  node_id: z.string(),
  node_name: z.string(),
  kind: z.enum(['extraneous', 'missing', 'mismatched']),
  resource: z.enum(['tunnel', 'flow', 'authorisation']),
  resource_id: z.string(),
  name: z.string(),
  fields: z.array(z.object({ path: z.string(), desired: z.unknown(), actual: z.unknown() })),
  fingerprint: z.string(),
  muted: z.boolean(),
  first_seen_at: timeSchema,
  last_seen_at: timeSchema,
  last_compared_at: timeSchema.nullable(),
  /** What each action would do, in words. An action that is not there cannot be taken. */
  actions: z.partialRecord(driftActionNameSchema, z.string()),
});

export const overviewSchema = z.object({
  nodes: z.object({
    online: z.int(),
    reconnecting: z.int(),
    offline: z.int(),
    never: z.int(),
    disabled: z.int(),
    expired: z.int(),
  }),
  legs: z.object({ pending: z.int(), pushing: z.int(), pushed: z.int(), failed: z.int() }),
  drift_open: z.int(),
  critical_unacknowledged: z.int(),
  changed_last_hour: z.int(),
});

export const instanceSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string().nullable(),
  version: z.string(),
  started_at: timeSchema,
  lease_age_ms: z.int(),
  alive: z.boolean(),
  self: z.boolean(),
  nodes: z.int(),
});

export type EventRow = z.output<typeof eventSchema>;
export type DriftRow = z.output<typeof driftSchema>;
export type DriftActionName = z.output<typeof driftActionNameSchema>;
export type Overview = z.output<typeof overviewSchema>;
export type InstanceRow = z.output<typeof instanceSchema>;
