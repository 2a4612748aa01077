import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Both engines run the same statements: times are integer milliseconds, JSON is text, there are no booleans. `{id}` is
 * a key that only grows; `{unlogged}` marks a table whose content may be lost in a crash.
 */
const statements = [
  `CREATE TABLE instances (
    id text PRIMARY KEY, name text NOT NULL, url text, version text NOT NULL,
    started_at bigint NOT NULL, heartbeat_at bigint NOT NULL)`,
  `CREATE TABLE nodes (
    id text PRIMARY KEY, name text NOT NULL UNIQUE, kind text NOT NULL, description text NOT NULL,
    region text, public_addr text, max_tunnels bigint, draining_at bigint,
    registration_hash text UNIQUE, registration_expires_at bigint, registration_used_at bigint,
    expires_at bigint, disabled_at bigint, software_version text, protocol_version bigint,
    capabilities text, last_health text, last_seen_at bigint, last_compared_at bigint,
    last_session bigint NOT NULL DEFAULT 0, generation bigint NOT NULL DEFAULT 1,
    created_at bigint NOT NULL, updated_at bigint NOT NULL)`,
  `CREATE TABLE node_secrets (
    id text PRIMARY KEY, node_id text NOT NULL REFERENCES nodes (id) ON DELETE CASCADE, hash text NOT NULL,
    state text NOT NULL, created_at bigint NOT NULL, acknowledged_at bigint, first_used_at bigint)`,
  `CREATE INDEX node_secrets_node ON node_secrets (node_id)`,
  `CREATE TABLE node_sessions (
    node_id text PRIMARY KEY REFERENCES nodes (id) ON DELETE CASCADE, session bigint NOT NULL,
    instance_id text NOT NULL, remote_addr text NOT NULL, connected_at bigint NOT NULL)`,
  `CREATE INDEX node_sessions_instance ON node_sessions (instance_id)`,
  `CREATE TABLE tunnels (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, protocol text NOT NULL,
    transport text NOT NULL, mode text NOT NULL, placement text NOT NULL, region text, placement_reason text,
    source_node_id text NOT NULL, source_listen text NOT NULL,
    destination_node_id text NOT NULL, destination_forward text NOT NULL,
    encryption_key_sealed text, bind_secret_sealed text, keys_created_at bigint, keys_unknown_at bigint,
    generation bigint NOT NULL, paused_at bigint, removed_at bigint, removed_by text,
    created_at bigint NOT NULL, updated_at bigint NOT NULL)`,
  `CREATE TABLE tunnel_relays (
    tunnel_id text NOT NULL REFERENCES tunnels (id) ON DELETE CASCADE, position bigint NOT NULL,
    relay_node_id text NOT NULL, relay_addr text NOT NULL, PRIMARY KEY (tunnel_id, position))`,
  `CREATE INDEX tunnel_relays_node ON tunnel_relays (relay_node_id)`,
  `CREATE TABLE managed_flows (
    id text PRIMARY KEY, node_id text NOT NULL, flow_id text NOT NULL, name text NOT NULL, config text NOT NULL,
    generation bigint NOT NULL, removed_at bigint, removed_by text,
    created_at bigint NOT NULL, updated_at bigint NOT NULL)`,
  `CREATE INDEX managed_flows_node ON managed_flows (node_id)`,
  `CREATE TABLE legs (
    id text PRIMARY KEY, tunnel_id text REFERENCES tunnels (id) ON DELETE CASCADE,
    flow_id text REFERENCES managed_flows (id) ON DELETE CASCADE,
    node_id text NOT NULL REFERENCES nodes (id) ON DELETE CASCADE, role text NOT NULL, want text NOT NULL,
    generation bigint NOT NULL, pushed_generation bigint, push_status text NOT NULL, push_error text,
    push_error_code text, attempts bigint NOT NULL DEFAULT 0, failed_for_ms bigint NOT NULL DEFAULT 0,
    session bigint, command_id text, updated_at bigint NOT NULL)`,
  `CREATE UNIQUE INDEX legs_tunnel_role_node ON legs (tunnel_id, role, node_id)`,
  `CREATE UNIQUE INDEX legs_flow_node ON legs (flow_id, node_id)`,
  `CREATE INDEX legs_node ON legs (node_id)`,
  `CREATE TABLE drift (
    id text PRIMARY KEY, node_id text NOT NULL REFERENCES nodes (id) ON DELETE CASCADE, kind text NOT NULL,
    resource text NOT NULL, resource_id text NOT NULL, name text NOT NULL, fields text NOT NULL,
    fingerprint text NOT NULL, first_seen_at bigint NOT NULL, last_seen_at bigint NOT NULL,
    muted_fingerprint text, resolved_at bigint, resolution text)`,
  `CREATE UNIQUE INDEX drift_open ON drift (node_id, resource, resource_id) WHERE resolved_at IS NULL`,
  `CREATE TABLE events (
    id {id}, node_id text, instance_id text, severity text NOT NULL, category text NOT NULL,
    message text NOT NULL, details text, flow_id text, tunnel_id text, event_id text,
    raised_at bigint NOT NULL, received_at bigint NOT NULL, acknowledged_at bigint, acknowledged_by text)`,
  `CREATE UNIQUE INDEX events_once ON events (node_id, event_id)`,
  `CREATE INDEX events_node ON events (node_id, raised_at, id)`,
  `CREATE INDEX events_tunnel ON events (tunnel_id, raised_at, id)`,
  `CREATE INDEX events_time ON events (raised_at, id)`,
  `CREATE INDEX events_open_critical ON events (severity, raised_at) WHERE acknowledged_at IS NULL`,
  `CREATE TABLE commands (
    id text PRIMARY KEY, node_id text NOT NULL, owner_id text NOT NULL, asker_id text NOT NULL,
    action_sealed text NOT NULL, state text NOT NULL, result text, deadline_at bigint NOT NULL)`,
  `CREATE TABLE watches (
    node_id text NOT NULL, instance_id text NOT NULL, until_at bigint NOT NULL, PRIMARY KEY (node_id, instance_id))`,
  `CREATE {unlogged} TABLE node_live (node_id text PRIMARY KEY, payload text NOT NULL, at bigint NOT NULL)`,
  `CREATE TABLE users (
    id text PRIMARY KEY, name text NOT NULL UNIQUE, password_hash text, oidc_subject text UNIQUE, role text NOT NULL,
    disabled_at bigint, generation bigint NOT NULL DEFAULT 1, created_at bigint NOT NULL, updated_at bigint NOT NULL)`,
  `CREATE TABLE user_sessions (
    token_hash text PRIMARY KEY, user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at bigint NOT NULL, last_used_at bigint NOT NULL, expires_at bigint NOT NULL, ip text, user_agent text)`,
  `CREATE INDEX user_sessions_user ON user_sessions (user_id)`,
  `CREATE TABLE api_tokens (
    id text PRIMARY KEY, hash text NOT NULL UNIQUE, name text NOT NULL, role text NOT NULL, created_by text,
    created_at bigint NOT NULL, expires_at bigint, last_used_at bigint)`,
  `CREATE TABLE webhooks (
    id text PRIMARY KEY, name text NOT NULL, url text NOT NULL, secret_sealed text NOT NULL, filter text NOT NULL,
    disabled_at bigint, generation bigint NOT NULL DEFAULT 1, created_at bigint NOT NULL, updated_at bigint NOT NULL)`,
  `CREATE TABLE webhook_deliveries (
    id text PRIMARY KEY, webhook_id text NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE, body text NOT NULL,
    attempts bigint NOT NULL DEFAULT 0, next_attempt_at bigint NOT NULL, last_error text, done_at bigint,
    claimed_by text, created_at bigint NOT NULL)`,
  `CREATE INDEX webhook_deliveries_due ON webhook_deliveries (done_at, next_attempt_at)`,
  `CREATE TABLE settings (key text PRIMARY KEY, value text NOT NULL, updated_at bigint NOT NULL)`,
  `CREATE TABLE audit (
    id {id}, at bigint NOT NULL, actor text NOT NULL, actor_kind text NOT NULL, ip text, action text NOT NULL,
    target text, "before" text, "after" text, outcome text NOT NULL, hash text NOT NULL UNIQUE)`,
];

const words = {
  sqlite: { id: 'integer PRIMARY KEY AUTOINCREMENT', unlogged: '' },
  postgres: { id: 'bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY', unlogged: 'UNLOGGED' },
};

export function initialSchema(engine: keyof typeof words): Migration {
  return {
    async up(db: Kysely<unknown>) {
      for (const statement of statements) {
        const text = statement.replace('{id}', words[engine].id).replace('{unlogged}', words[engine].unlogged);
        await sql.raw(text).execute(db);
      }
    },
  };
}
