import { z } from 'zod';
import { roleSchema, timeSchema } from './common.ts';

export const meSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  kind: z.enum(['user', 'token']),
  expires_at: timeSchema.nullable(),
});

/** The query with which a refused single sign-on leads back to the page. */
export interface SignInRefusal {
  readonly sign_in: 'not_started' | 'expired' | 'provider_away' | 'not_confirmed' | 'no_role' | 'disabled';
  /** The provider's own code. */
  readonly provider?: string;
}

export const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  sign_in: z.enum(['password', 'oidc']),
  disabled_at: timeSchema.nullable(),
  sessions: z.int(),
  last_used_at: timeSchema.nullable(),
  created_at: timeSchema,
});

export const apiTokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  created_at: timeSchema,
  expires_at: timeSchema.nullable(),
  last_used_at: timeSchema.nullable(),
});

export const auditSchema = z.object({
  id: z.string(),
  at: timeSchema,
  actor: z.string(),
  actor_kind: z.string(),
  ip: z.string().nullable(),
  action: z.string(),
  target: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
  outcome: z.string(),
  hash: z.string(),
});

export const auditCheckSchema = z.object({
  ok: z.boolean(),
  checked: z.int(),
  broken_at: z.string().nullable(),
});

export const webhookTriggerSchema = z.enum([
  'node_offline',
  'node_online',
  'drift_opened',
  'push_failed',
  'ghost_cleanup',
  'critical_event',
]);

export const webhookSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  triggers: z.array(webhookTriggerSchema),
  enabled: z.boolean(),
  created_at: timeSchema,
  last_delivery_at: timeSchema.nullable(),
  last_result: z.string().nullable(),
  waiting: z.int(),
});

export const settingSchema = z.object({
  key: z.string(),
  value: z.unknown(),
  default: z.unknown(),
  /** Where the value comes from. Only `settings` values can be changed over the API. */
  source: z.enum(['default', 'file', 'environment', 'settings']),
  editable: z.boolean(),
  description: z.string(),
});

export type Me = z.output<typeof meSchema>;
export type UserRow = z.output<typeof userSchema>;
export type ApiTokenRow = z.output<typeof apiTokenSchema>;
export type AuditRow = z.output<typeof auditSchema>;
export type AuditCheck = z.output<typeof auditCheckSchema>;
export type WebhookRow = z.output<typeof webhookSchema>;
export type WebhookTrigger = z.output<typeof webhookTriggerSchema>;
export type SettingRow = z.output<typeof settingSchema>;
