import type { CommandAction } from '../protocol/node/node-command.ts';
import type { Role } from './store/access-schema.ts';
import type {
  DriftRow,
  EventRow,
  FlowRow,
  LegRole,
  LegWant,
  NodeKind,
  NodeRow,
  PushStatus,
  TunnelRow,
} from './store/schema.ts';
import type { EventQuery, Page, PageQuery, TunnelQuery } from './store/store.ts';

/**
 * What the REST API and the web page may do with the fleet. Views carry the columns' names and no secret; times are
 * milliseconds since the epoch. Methods reject with FleetError (its status is the HTTP status), or with whatever the
 * database says when it is away (503). Each change is audited here, in the transaction that makes it.
 */
export interface Fleet {
  readonly nodes: NodeOperations;
  readonly tunnels: TunnelOperations;
  readonly flows: FlowOperations;
  readonly drift: DriftOperations;
  readonly events: EventOperations;
  overview(): Promise<Overview>;
  instances(): Promise<readonly InstanceView[]>;
  /** What changes, for live pages. Returns how to stop listening. */
  subscribe(listener: FleetListener): () => void;
}

/** The author of a change; stands in the audit trail. */
export interface Actor {
  readonly name: string;
  readonly kind: 'user' | 'token' | 'system' | 'anonymous';
  readonly role: Role;
  readonly ip: string | null;
}

/** Changes by many legs or nodes within one turn are reported together. */
export interface FleetListener {
  nodesChanged?(ids: readonly string[]): void;
  legsChanged?(tunnelIds: readonly string[], flowIds: readonly string[]): void;
  driftChanged?(nodeIds: readonly string[]): void;
  /** Notices of other instances may have been lost: anything may be another than it was. */
  allChanged?(): void;
  /** After they are stored. */
  eventsStored?(events: readonly EventRow[]): void;
  /** A stats frame of a node that this instance holds; at most one a second for each node. */
  statsReceived?(nodeId: string): void;
}

/** `reconnecting`: gone for less than `offline_grace_secs`. `never`: has not connected yet. */
export type NodeState = 'online' | 'reconnecting' | 'offline' | 'never' | 'disabled' | 'expired';

export interface NodeView extends Omit<NodeRow, 'registration_hash' | 'last_health' | 'capabilities' | 'last_session'> {
  readonly state: NodeState;
  /** Since when it is in this state; null for never. */
  readonly state_since: number | null;
  readonly remote_addr: string | null;
  readonly instance_id: string | null;
  readonly capabilities: readonly string[];
  readonly health: Readonly<Record<string, unknown>> | null;
  readonly legs: Readonly<Record<PushStatus, number>>;
  readonly drift_open: number;
  readonly secrets: readonly { readonly state: string; readonly created_at: number }[];
}

export interface NewNodeInput {
  readonly name: string;
  readonly kind?: NodeKind;
  readonly description?: string;
  readonly region?: string | null;
  readonly public_addr?: string | null;
  readonly max_tunnels?: number | null;
  readonly expires_at?: number | null;
}

export interface NodeOperations {
  page(query: PageQuery & { readonly kind?: NodeKind }): Promise<Page<NodeView>>;
  get(id: string): Promise<NodeView>;
  /** The token is shown once and valid for 24 h. */
  create(input: NewNodeInput, actor: Actor): Promise<{ readonly node: NodeView; readonly registration_token: string }>;
  patch(id: string, change: Partial<NewNodeInput>, generation: number | null, actor: Actor): Promise<NodeView>;
  /** `in_use` while tunnels or flows use it, unless `force`: those are removed with it. */
  remove(id: string, force: boolean, actor: Actor): Promise<void>;
  newToken(id: string, actor: Actor): Promise<{ readonly registration_token: string; readonly expires_at: number }>;
  /** `unconfirmed`: the node did not acknowledge; whichever secret it uses next is accepted. */
  rotateSecret(
    id: string,
    revokePrevious: boolean,
    actor: Actor,
  ): Promise<{ readonly outcome: 'acknowledged' | 'unconfirmed' }>;
  setDisabled(id: string, disabled: boolean, actor: Actor): Promise<NodeView>;
  disconnect(id: string, actor: Actor): Promise<void>;
  /** Moves a relay's `auto` tunnels to other relays make-before-break, and keeps new ones away; false takes it back. */
  setDraining(id: string, draining: boolean, actor: Actor): Promise<DrainView>;
  /** Latest stats as the node sent them, from whichever instance holds it; null when none came yet. */
  stats(id: string): Promise<{ readonly at: number; readonly payload: unknown } | null>;
  legs(id: string): Promise<readonly LegView[]>;
  /** Read from the node now, without secrets. */
  config(id: string): Promise<unknown>;
  reconcile(id: string, actor: Actor): Promise<void>;
  command(id: string, action: CommandAction, actor: Actor): Promise<CommandAnswer>;
}

export interface CommandAnswer {
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: string;
  readonly error_code?: string;
}

export interface DrainView {
  readonly moved: readonly string[];
  /** Tunnels that cannot be moved, and why. */
  readonly kept: readonly { readonly tunnel_id: string; readonly reason: string }[];
}

export interface LegView {
  readonly id: string;
  readonly tunnel_id: string | null;
  readonly flow_id: string | null;
  readonly node_id: string;
  readonly role: LegRole;
  readonly want: LegWant;
  readonly generation: number;
  readonly pushed_generation: number | null;
  readonly push_status: PushStatus;
  readonly push_error: string | null;
  readonly push_error_code: string | null;
  readonly attempts: number;
  readonly updated_at: number;
}

/** Beside the push state, never instead of it. */
export type RunningState = 'ready' | 'waiting' | 'connecting' | 'down' | 'stopped' | 'unknown';

export interface TunnelView extends Omit<TunnelRow, 'encryption_key_sealed' | 'bind_secret_sealed'> {
  readonly status: 'active' | 'failed' | 'removing' | 'pending' | 'paused' | 'removed';
  readonly relays: readonly { readonly node_id: string; readonly relay_addr: string }[];
  readonly legs: readonly LegView[];
  readonly ingress_push_status: PushStatus | null;
  readonly egress_push_status: PushStatus | null;
  readonly relay_push_status: PushStatus | null;
  /** Of the first leg that failed. */
  readonly push_error: string | null;
  readonly running: { readonly source: RunningState; readonly destination: RunningState };
}

export interface NewTunnelInput {
  readonly id?: string;
  readonly name: string;
  readonly description?: string;
  readonly protocol: 'tcp' | 'udp';
  readonly transport?: string;
  readonly mode?: string;
  readonly source: { readonly node_id: string; readonly listen: string };
  readonly destination: { readonly node_id: string; readonly forward: string };
  /** One or two, or `auto` with an optional region. An address is only needed where the relay reports none. */
  readonly relays: 'auto' | readonly { readonly node_id: string; readonly relay_addr?: string }[];
  readonly region?: string | null;
}

export interface WrittenTunnel {
  readonly tunnel: TunnelView;
  readonly warnings: readonly string[];
}

export interface TunnelOperations {
  page(query: TunnelQuery): Promise<Page<TunnelView>>;
  get(id: string): Promise<TunnelView>;
  create(input: NewTunnelInput, actor: Actor): Promise<WrittenTunnel>;
  patch(id: string, change: Partial<NewTunnelInput>, generation: number | null, actor: Actor): Promise<WrittenTunnel>;
  remove(id: string, generation: number | null, actor: Actor): Promise<TunnelView>;
  restore(id: string, actor: Actor): Promise<WrittenTunnel>;
  pause(id: string, actor: Actor): Promise<TunnelView>;
  resume(id: string, actor: Actor): Promise<TunnelView>;
  /** Pushes failed legs now. */
  retry(id: string, actor: Actor): Promise<TunnelView>;
  rotateKeys(id: string, actor: Actor): Promise<TunnelView>;
  keys(id: string, actor: Actor): Promise<{ readonly encryption_key: string; readonly bind_secret: string }>;
  why(id: string): Promise<readonly WhyFinding[]>;
}

export interface WhyFinding {
  readonly level: 'problem' | 'note' | 'good';
  readonly text: string;
  readonly remedy: string | null;
  /** The node that it is about; null for the tunnel as a whole. */
  readonly node_id: string | null;
}

export interface FlowView extends Omit<FlowRow, 'config'> {
  readonly config: Readonly<Record<string, unknown>>;
  readonly status: TunnelView['status'];
  readonly push_status: PushStatus | null;
  readonly push_error: string | null;
  readonly push_error_code: string | null;
  readonly legs: readonly LegView[];
}

export interface NewFlowInput {
  readonly node_id: string;
  readonly name?: string;
  /** The flow as the node takes it, with its `id`. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface FlowOperations {
  page(query: TunnelQuery): Promise<Page<FlowView>>;
  get(id: string): Promise<FlowView>;
  create(input: NewFlowInput, actor: Actor): Promise<FlowView>;
  patch(id: string, change: Partial<NewFlowInput>, generation: number | null, actor: Actor): Promise<FlowView>;
  remove(id: string, generation: number | null, actor: Actor): Promise<FlowView>;
  restore(id: string, actor: Actor): Promise<FlowView>;
  retry(id: string, actor: Actor): Promise<FlowView>;
}

export interface DriftField {
  readonly path: string;
  readonly desired: unknown;
  readonly actual: unknown;
}

export interface DriftView extends Omit<DriftRow, 'fields'> {
  readonly fields: readonly DriftField[];
  readonly muted: boolean;
  /** What each action would do, in words; an action that is not there cannot be taken. */
  readonly actions: Readonly<Partial<Record<'repush' | 'ingest' | 'delete_node' | 'delete_manager' | 'mute', string>>>;
}

export interface DriftOperations {
  page(query: PageQuery & { readonly nodeId?: string; readonly muted?: boolean }): Promise<Page<DriftView>>;
  get(id: string): Promise<DriftView>;
  /** The manager's values replace the node's. */
  repush(id: string, actor: Actor): Promise<DriftView>;
  /** The node's values become the manager's. */
  ingest(id: string, actor: Actor): Promise<DriftView>;
  remove(id: string, from: 'node' | 'manager', actor: Actor): Promise<DriftView>;
  /** Silent until the difference changes. */
  mute(id: string, actor: Actor): Promise<DriftView>;
}

export interface EventOperations {
  page(query: EventQuery): Promise<readonly EventRow[]>;
  count(query: Omit<EventQuery, 'limit' | 'after'>): Promise<number>;
  acknowledge(ids: readonly number[], actor: Actor): Promise<number>;
}

export interface Overview {
  readonly nodes: Readonly<Record<NodeState, number>>;
  readonly legs: Readonly<Record<PushStatus, number>>;
  readonly drift_open: number;
  readonly critical_unacknowledged: number;
  readonly changed_last_hour: number;
}

export interface InstanceView {
  readonly id: string;
  readonly name: string;
  readonly url: string | null;
  readonly version: string;
  readonly started_at: number;
  readonly lease_age_ms: number;
  readonly alive: boolean;
  readonly self: boolean;
  readonly nodes: number;
}
