import type { Generated, Insertable, Selectable, Updateable } from 'kysely';

/** Milliseconds since the Unix epoch. */
type At = number;
/** A JSON text: never queried inside. */
type Json = string;

export type Role = 'viewer' | 'operator' | 'admin';

export interface UserTable {
  id: string;
  name: string;
  password_hash: string | null;
  oidc_subject: string | null;
  role: Role;
  disabled_at: At | null;
  generation: Generated<number>;
  created_at: At;
  updated_at: At;
}

export interface UserSessionTable {
  token_hash: string;
  user_id: string;
  created_at: At;
  last_used_at: At;
  expires_at: At;
  ip: string | null;
  user_agent: string | null;
}

export interface ApiTokenTable {
  id: string;
  hash: string;
  name: string;
  role: Role;
  created_by: string | null;
  created_at: At;
  expires_at: At | null;
  last_used_at: At | null;
}

/** In the place of a webhook's secret that was lost with its master key. */
export const lostSecret = '';

export interface WebhookTable {
  id: string;
  name: string;
  url: string;
  secret_sealed: string;
  filter: Json;
  disabled_at: At | null;
  generation: Generated<number>;
  created_at: At;
  updated_at: At;
}

export interface WebhookDeliveryTable {
  id: string;
  webhook_id: string;
  body: Json;
  attempts: Generated<number>;
  next_attempt_at: At;
  last_error: string | null;
  done_at: At | null;
  claimed_by: string | null;
  created_at: At;
}

export interface SettingTable {
  key: string;
  value: Json;
  updated_at: At;
}

export interface AuditTable {
  id: Generated<number>;
  at: At;
  actor: string;
  actor_kind: 'user' | 'token' | 'system' | 'anonymous';
  ip: string | null;
  action: string;
  target: string | null;
  before: Json | null;
  after: Json | null;
  outcome: string;
  /** SHA-256(previous hash ‖ row), lower-case hex. */
  hash: string;
}

export type UserRow = Selectable<UserTable>;
export type NewUser = Insertable<UserTable>;
export type UserChange = Updateable<UserTable>;
export type UserSessionRow = Selectable<UserSessionTable>;
export type ApiTokenRow = Selectable<ApiTokenTable>;
export type WebhookRow = Selectable<WebhookTable>;
export type WebhookChange = Updateable<WebhookTable>;
export type WebhookDeliveryRow = Selectable<WebhookDeliveryTable>;
export type AuditRow = Selectable<AuditTable>;
export type NewAudit = Omit<Insertable<AuditTable>, 'id' | 'hash'>;
