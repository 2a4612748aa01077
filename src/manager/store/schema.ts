import type { Generated, Insertable, Selectable, Updateable } from 'kysely';
import type {
  ApiTokenTable,
  AuditTable,
  SettingTable,
  UserSessionTable,
  UserTable,
  WebhookDeliveryTable,
  WebhookTable,
} from './access-schema.ts';

/** Milliseconds since the Unix epoch. */
type At = number;
/** A JSON text: never queried inside. */
type Json = string;

export type NodeKind = 'relay' | 'edge' | 'observer' | 'other';
export type LegRole = 'ingress' | 'egress' | 'relay' | 'secondary_relay' | 'flow';
export type LegWant = 'present' | 'absent';
export type PushStatus = 'pending' | 'pushing' | 'pushed' | 'failed';
export type DriftKind = 'extraneous' | 'missing' | 'mismatched';
export type DriftResource = 'tunnel' | 'flow' | 'authorisation';
export type SecretState = 'issued' | 'acknowledged' | 'in_use';
export type Severity = 'info' | 'warning' | 'critical';

interface InstanceTable {
  id: string;
  name: string;
  url: string | null;
  version: string;
  started_at: At;
  /** By the database's clock. */
  heartbeat_at: At;
}

interface NodeTable {
  id: string;
  name: string;
  kind: NodeKind;
  description: string;
  /** A label by which `auto` tunnels choose their relays. */
  region: string | null;
  /** host:port that edges dial, in place of what the relay reports. */
  public_addr: string | null;
  /** Tunnels that `auto` placement puts on this relay at most. */
  max_tunnels: number | null;
  draining_at: At | null;
  /** SHA-256 of the registration token; kept until the node has used its secret once. */
  registration_hash: string | null;
  registration_expires_at: At | null;
  registration_used_at: At | null;
  expires_at: At | null;
  disabled_at: At | null;
  software_version: string | null;
  protocol_version: number | null;
  capabilities: Json | null;
  last_health: Json | null;
  last_seen_at: At | null;
  last_compared_at: At | null;
  /** The number of the newest session; only grows. */
  last_session: Generated<number>;
  generation: Generated<number>;
  created_at: At;
  updated_at: At;
}

interface NodeSecretTable {
  id: string;
  node_id: string;
  /** SHA-256, lower-case hex. */
  hash: string;
  state: SecretState;
  created_at: At;
  acknowledged_at: At | null;
  first_used_at: At | null;
}

interface NodeSessionTable {
  node_id: string;
  session: number;
  instance_id: string;
  remote_addr: string;
  connected_at: At;
}

interface TunnelTable {
  id: string;
  name: string;
  description: string;
  protocol: 'tcp' | 'udp';
  transport: 'quic';
  mode: 'relay';
  placement: 'fixed' | 'auto';
  region: string | null;
  /** Why `auto` chose these relays, for people. */
  placement_reason: string | null;
  source_node_id: string;
  source_listen: string;
  destination_node_id: string;
  destination_forward: string;
  encryption_key_sealed: string | null;
  bind_secret_sealed: string | null;
  keys_created_at: At | null;
  keys_unknown_at: At | null;
  generation: number;
  paused_at: At | null;
  removed_at: At | null;
  removed_by: 'operator' | 'ghost' | null;
  created_at: At;
  updated_at: At;
}

interface TunnelRelayTable {
  tunnel_id: string;
  position: number;
  relay_node_id: string;
  relay_addr: string;
}

interface ManagedFlowTable {
  id: string;
  node_id: string;
  /** The flow's id in the node's own config. */
  flow_id: string;
  name: string;
  config: Json;
  generation: number;
  removed_at: At | null;
  removed_by: 'operator' | 'ghost' | null;
  created_at: At;
  updated_at: At;
}

interface LegTable {
  id: string;
  tunnel_id: string | null;
  flow_id: string | null;
  node_id: string;
  role: LegRole;
  want: LegWant;
  generation: number;
  pushed_generation: number | null;
  push_status: PushStatus;
  push_error: string | null;
  push_error_code: string | null;
  attempts: Generated<number>;
  failed_for_ms: Generated<number>;
  session: number | null;
  command_id: string | null;
  updated_at: At;
}

interface DriftTable {
  id: string;
  node_id: string;
  kind: DriftKind;
  resource: DriftResource;
  resource_id: string;
  name: string;
  /** [{path, desired, actual}] */
  fields: Json;
  fingerprint: string;
  first_seen_at: At;
  last_seen_at: At;
  muted_fingerprint: string | null;
  resolved_at: At | null;
  resolution: string | null;
}

interface EventTable {
  id: Generated<number>;
  node_id: string | null;
  instance_id: string | null;
  severity: Severity;
  category: string;
  message: string;
  details: Json | null;
  flow_id: string | null;
  tunnel_id: string | null;
  event_id: string | null;
  raised_at: At;
  received_at: At;
  acknowledged_at: At | null;
  acknowledged_by: string | null;
}

interface CommandTable {
  id: string;
  node_id: string;
  owner_id: string;
  asker_id: string;
  action_sealed: string;
  state: 'queued' | 'sent' | 'done';
  result: Json | null;
  /** By the database's clock; void after it. */
  deadline_at: At;
}

interface WatchTable {
  node_id: string;
  instance_id: string;
  until_at: At;
}

interface NodeLiveTable {
  node_id: string;
  payload: Json;
  at: At;
}

/** Every table; the same on both engines. */
export interface Tables {
  instances: InstanceTable;
  nodes: NodeTable;
  node_secrets: NodeSecretTable;
  node_sessions: NodeSessionTable;
  tunnels: TunnelTable;
  tunnel_relays: TunnelRelayTable;
  managed_flows: ManagedFlowTable;
  legs: LegTable;
  drift: DriftTable;
  events: EventTable;
  commands: CommandTable;
  watches: WatchTable;
  node_live: NodeLiveTable;
  users: UserTable;
  user_sessions: UserSessionTable;
  api_tokens: ApiTokenTable;
  webhooks: WebhookTable;
  webhook_deliveries: WebhookDeliveryTable;
  settings: SettingTable;
  audit: AuditTable;
}

export type InstanceRow = Selectable<InstanceTable>;
export type NodeRow = Selectable<NodeTable>;
export type NewNode = Insertable<NodeTable>;
export type NodeChange = Updateable<NodeTable>;
export type NodeSecretRow = Selectable<NodeSecretTable>;
export type NodeSessionRow = Selectable<NodeSessionTable>;
export type TunnelRow = Selectable<TunnelTable>;
export type NewTunnel = Insertable<TunnelTable>;
export type TunnelChange = Updateable<TunnelTable>;
export type TunnelRelayRow = Selectable<TunnelRelayTable>;
export type FlowRow = Selectable<ManagedFlowTable>;
export type FlowChange = Updateable<ManagedFlowTable>;
export type LegRow = Selectable<LegTable>;
export type LegChange = Updateable<LegTable>;
export type DriftRow = Selectable<DriftTable>;
export type DriftChange = Updateable<DriftTable>;
export type EventRow = Selectable<EventTable>;
export type NewEvent = Insertable<EventTable>;
export type CommandRow = Selectable<CommandTable>;
