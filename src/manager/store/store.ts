import type { NewAudit } from './access-schema.ts';
import type {
  CommandRow,
  DriftChange,
  DriftRow,
  EventRow,
  FlowChange,
  FlowRow,
  InstanceRow,
  LegChange,
  LegRole,
  LegRow,
  NewEvent,
  NewNode,
  NewTunnel,
  NodeChange,
  NodeRow,
  NodeSecretRow,
  NodeSessionRow,
  PushStatus,
  SecretState,
  Severity,
  TunnelChange,
  TunnelRelayRow,
  TunnelRow,
} from './schema.ts';

/** A page of a list. `next` continues after the last item; null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export interface PageQuery {
  /** 1 to 500. */
  readonly limit: number;
  /** The `next` of the page before. One that is not ours is as none. */
  readonly after?: string | null;
  /** Part of a name, in any case. */
  readonly q?: string | null;
}

/** Every method rejects with AppError `io-failed` (or the driver's own error) when the database is away. */
export interface NodeStore {
  /** By name. */
  page(query: PageQuery & { readonly kind?: NodeRow['kind'] }): Promise<Page<NodeRow>>;
  get(id: string): Promise<NodeRow | null>;
  all(ids?: readonly string[]): Promise<readonly NodeRow[]>;
  byName(name: string): Promise<NodeRow | null>;
  byRegistration(hash: string): Promise<NodeRow | null>;
  /** False where the name is taken. */
  insert(node: NewNode): Promise<boolean>;
  /** Null where there is no such node, or it has another generation than the one that is asked for. */
  change(id: string, change: NodeChange, generation?: number): Promise<NodeRow | null>;
  /** With its secrets, legs, drift and session. */
  remove(id: string): Promise<boolean>;
}

export interface SecretStore {
  of(nodeId: string): Promise<readonly NodeSecretRow[]>;
  insert(secret: NodeSecretRow): Promise<void>;
  setState(id: string, state: SecretState, at: number): Promise<void>;
  /** Deletes the node's secrets that were made before this one. */
  removeOlder(secret: NodeSecretRow): Promise<void>;
}

export interface SessionClaim {
  /** Grows with each claim of this node. */
  readonly session: number;
  /** The instance that held the node before; null for none. */
  readonly previousInstanceId: string | null;
}

export interface SessionStore {
  /** Takes the node over from its present instance; null where the node is gone. */
  claim(nodeId: string, instanceId: string, remoteAddr: string, at: number): Promise<SessionClaim | null>;
  /** False when a newer session has taken its place: its end is no news then. */
  release(nodeId: string, session: number): Promise<boolean>;
  of(nodeId: string): Promise<NodeSessionRow | null>;
  /** Those of instances with a live lease, `self` included whatever its lease. */
  live(leaseMs: number, self: string, nodeIds?: readonly string[]): Promise<readonly NodeSessionRow[]>;
  /** Session numbers by node id of what this instance holds. */
  heldBy(instanceId: string): Promise<ReadonlyMap<string, number>>;
  /** Gives sessions of one instance to another, where they are still the newest; returns those that moved. */
  adopt(from: string, to: string): Promise<readonly NodeSessionRow[]>;
  /** Ends the sessions of instances without a live lease; each row is returned to exactly one caller. */
  reap(leaseMs: number, self: string): Promise<readonly NodeSessionRow[]>;
}

export interface InstanceStore {
  register(instance: Omit<InstanceRow, 'heartbeat_at'>): Promise<void>;
  /** Renews the lease by the database's clock. False when it is gone: take a new id. */
  renew(id: string): Promise<boolean>;
  all(): Promise<readonly (InstanceRow & { readonly age_ms: number })[]>;
  remove(id: string): Promise<void>;
  /** Forgets instances that were not seen for so long. */
  forgetOlder(ageMs: number): Promise<void>;
}

export interface TunnelQuery extends PageQuery {
  readonly removed?: boolean;
  readonly nodeId?: string;
}

export interface TunnelStore {
  /** By name. */
  page(query: TunnelQuery): Promise<Page<TunnelRow>>;
  get(id: string): Promise<TunnelRow | null>;
  all(ids?: readonly string[]): Promise<readonly TunnelRow[]>;
  /** Those that are not removed and use the node in any role. */
  using(nodeId: string): Promise<readonly TunnelRow[]>;
  insert(tunnel: NewTunnel): Promise<void>;
  /** Null where there is no such tunnel, or it has another generation than the one that is asked for. */
  change(id: string, change: TunnelChange, generation?: number): Promise<TunnelRow | null>;
  relays(ids: readonly string[]): Promise<readonly TunnelRelayRow[]>;
  setRelays(id: string, relays: readonly TunnelRelayRow[]): Promise<void>;
  /** How many tunnels that are not removed each relay carries. */
  countByRelay(): Promise<ReadonlyMap<string, number>>;
  /** Deletes what was removed before. */
  forgetRemoved(before: number): Promise<void>;
}

export interface FlowStore {
  /** Within a transaction, before it reads: others that change flows wait for its end. */
  lock(): Promise<void>;
  page(query: TunnelQuery): Promise<Page<FlowRow>>;
  get(id: string): Promise<FlowRow | null>;
  ofNode(nodeId: string): Promise<readonly FlowRow[]>;
  insert(flow: FlowRow): Promise<void>;
  change(id: string, change: FlowChange, generation?: number): Promise<FlowRow | null>;
  forgetRemoved(before: number): Promise<void>;
}

/** Which push an answer belongs to: a leg takes the answer of no other. */
export interface PushGuard {
  readonly session: number;
  readonly commandId: string;
}

export interface LegStore {
  ofNode(nodeId: string): Promise<readonly LegRow[]>;
  ofTunnels(ids: readonly string[]): Promise<readonly LegRow[]>;
  ofFlows(ids: readonly string[]): Promise<readonly LegRow[]>;
  /** Of nodes that have changed since; for those that missed a notice. */
  changedSince(nodeIds: readonly string[], since: number): Promise<readonly LegRow[]>;
  insert(legs: readonly LegRow[]): Promise<void>;
  /** What an operator wants: always a new generation, pending. */
  want(id: string, change: LegChange): Promise<LegRow | null>;
  /** Marks it as being pushed, if it still has this generation and the session is the node's; null otherwise. */
  beginPush(id: string, seen: { generation: number }, guard: PushGuard): Promise<LegRow | null>;
  /**
   * Records how that push ended; null where it is no longer the one. A leg that an operator changed meanwhile stays
   * pending, but keeps what it learned.
   */
  endPush(id: string, guard: PushGuard, status: 'pushed' | 'failed', change: LegChange): Promise<LegRow | null>;
  /** A relay holds it already. */
  confirm(id: string, seen: { generation: number }, session: number): Promise<boolean>;
  /** A session is over: what was being pushed in it, and on a relay all that was pushed, is pending. */
  left(nodeId: string, session: number): Promise<readonly LegRow[]>;
  /** Changes what is not an answer to a push, if generation and status are still as they were seen. */
  change(id: string, seen: { generation: number; status: PushStatus }, change: LegChange): Promise<LegRow | null>;
  remove(id: string, seen: { generation: number }): Promise<boolean>;
  /** Legs that are being pushed in a session that is over become pending: of one node, or at start of all. */
  releaseOrphans(nodeId?: string): Promise<void>;
  /** How many legs of each role have each state. */
  counts(): Promise<readonly { role: LegRole; push_status: PushStatus; count: number }[]>;
  countsByNode(
    nodeIds: readonly string[],
  ): Promise<readonly { node_id: string; push_status: PushStatus; count: number }[]>;
}

export interface DriftStore {
  page(query: PageQuery & { readonly nodeId?: string; readonly muted?: boolean }): Promise<Page<DriftRow>>;
  get(id: string): Promise<DriftRow | null>;
  openOf(nodeId: string): Promise<readonly DriftRow[]>;
  /** False where the same difference is open already. */
  insert(drift: DriftRow): Promise<boolean>;
  /** Null where it is resolved already. */
  change(id: string, change: DriftChange): Promise<DriftRow | null>;
  countsByNode(
    nodeIds?: readonly string[],
  ): Promise<readonly { node_id: string; kind: DriftRow['kind']; count: number }[]>;
  /** Forgets differences that are resolved for that long. */
  forgetResolved(before: number): Promise<void>;
}

export interface EventQuery {
  readonly limit: number;
  /** The id of the last one of the page before. */
  readonly after?: number | null;
  readonly nodeId?: string;
  readonly tunnelId?: string;
  readonly flowId?: string;
  readonly severity?: Severity;
  /** A category, or what stands before its dot. */
  readonly category?: string;
  readonly text?: string;
  readonly from?: number;
  readonly to?: number;
  readonly unacknowledged?: boolean;
}

export interface EventStore {
  /** Inserts those that are new, by node and event id, and returns them. */
  insert(events: readonly NewEvent[]): Promise<readonly EventRow[]>;
  /** Newest first. */
  page(query: EventQuery): Promise<readonly EventRow[]>;
  count(query: Omit<EventQuery, 'limit' | 'after'>): Promise<number>;
  get(id: number): Promise<EventRow | null>;
  acknowledge(ids: readonly number[], by: string, at: number): Promise<number>;
  /** Deletes at most `limit` of those raised before; returns how many. */
  prune(before: number, limit: number, severity?: Severity): Promise<number>;
}

export interface CommandStore {
  insert(command: CommandRow): Promise<void>;
  /** Takes a queued command whose deadline has not passed; null where another took it or it is void. */
  claim(id: string, ownerId: string): Promise<CommandRow | null>;
  queuedFor(ownerId: string): Promise<readonly string[]>;
  finish(id: string, result: string): Promise<void>;
  /** The result, once there is one. */
  result(id: string): Promise<string | null>;
  forgetOld(): Promise<void>;
}

export interface WatchStore {
  watch(nodeId: string, instanceId: string, forMs: number): Promise<void>;
  watched(nodeIds: readonly string[]): Promise<readonly string[]>;
  put(rows: readonly { node_id: string; payload: string; at: number }[]): Promise<void>;
  live(nodeIds: readonly string[]): Promise<readonly { node_id: string; payload: string; at: number }[]>;
}

export interface AuditStore {
  /** Only within a transaction, the one of the change that it records: the chain of hashes has one end. */
  append(entry: NewAudit): Promise<void>;
}

/** Everything that is kept. Those of users, tokens, webhooks and settings belong to `access`. */
export interface Store {
  readonly nodes: NodeStore;
  readonly secrets: SecretStore;
  readonly sessions: SessionStore;
  readonly instances: InstanceStore;
  readonly tunnels: TunnelStore;
  readonly flows: FlowStore;
  readonly legs: LegStore;
  readonly drift: DriftStore;
  readonly events: EventStore;
  readonly commands: CommandStore;
  readonly watches: WatchStore;
  readonly audit: AuditStore;
  /** All or nothing. Within it nothing but the database may be awaited. */
  transaction<Result>(work: (store: Store) => Promise<Result>): Promise<Result>;
}
