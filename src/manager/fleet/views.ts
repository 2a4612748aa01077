import { maskSecrets } from '../../lib/masked-secrets.ts';
import { withoutKeys } from '../../lib/without-keys.ts';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import type { FlowView, LegView, NodeState, NodeView, RunningState, TunnelView } from '../fleet.ts';
import { isRelayRole } from '../reconcile/plan-leg.ts';
import type {
  FlowRow,
  LegRow,
  NodeRow,
  NodeSecretRow,
  NodeSessionRow,
  PushStatus,
  TunnelRelayRow,
  TunnelRow,
} from '../store/schema.ts';

/**
 * The one place where a node's state is derived. A node is online if it has a session of an instance with a live lease.
 */
export function nodeState(node: NodeRow, session: NodeSessionRow | undefined, now: number, graceMs: number): NodeState {
  if (node.disabled_at !== null) return 'disabled';
  if (node.expires_at !== null && node.expires_at <= now) return 'expired';
  if (session !== undefined) return 'online';
  if (node.last_seen_at === null) return 'never';
  return now - node.last_seen_at < graceMs ? 'reconnecting' : 'offline';
}

export interface NodeFacts {
  readonly session: NodeSessionRow | undefined;
  readonly legs: readonly { readonly push_status: PushStatus; readonly count: number }[];
  readonly driftOpen: number;
  readonly secrets: readonly NodeSecretRow[];
  readonly health: Readonly<Record<string, unknown>> | null;
}

export function nodeView(node: NodeRow, facts: NodeFacts, now: number, graceMs: number): NodeView {
  const { last_health: lastHealth, capabilities, ...most } = node;
  const rest = withoutKeys(most, 'registration_hash', 'last_session');
  const state = nodeState(node, facts.session, now, graceMs);
  const known: unknown = capabilities === null ? [] : parseJson(capabilities);
  return {
    ...rest,
    state,
    state_since: state === 'online' ? (facts.session?.connected_at ?? null) : node.last_seen_at,
    remote_addr: facts.session?.remote_addr ?? null,
    instance_id: facts.session?.instance_id ?? null,
    capabilities: Array.isArray(known) ? known.filter((text) => typeof text === 'string') : [],
    health: facts.health ?? (lastHealth === null ? null : asJsonObject(parseJson(lastHealth))),
    legs: countByStatus(facts.legs),
    drift_open: facts.driftOpen,
    secrets: facts.secrets.map(({ state: secretState, created_at: at }) => ({ state: secretState, created_at: at })),
  };
}

export function countByStatus(
  counts: readonly { readonly push_status: PushStatus; readonly count: number }[],
): Record<PushStatus, number> {
  const sums: Record<PushStatus, number> = { pending: 0, pushing: 0, pushed: 0, failed: 0 };
  for (const { push_status: status, count } of counts) sums[status] += count;
  return sums;
}

export function legView(leg: LegRow): LegView {
  return withoutKeys(leg, 'session', 'command_id', 'failed_for_ms');
}

export function tunnelView(
  row: TunnelRow,
  relays: readonly TunnelRelayRow[],
  legs: readonly LegRow[],
  running: { readonly source: RunningState; readonly destination: RunningState },
): TunnelView {
  const rest = withoutKeys(row, 'encryption_key_sealed', 'bind_secret_sealed');
  const present = legs.filter(({ want }) => want === 'present');
  const statusOf = (test: (leg: LegRow) => boolean): PushStatus | null => worst(present.filter(test));
  return {
    ...rest,
    status: resourceStatus(row, legs),
    relays: relays.map(({ relay_node_id: nodeId, relay_addr: addr }) => ({ node_id: nodeId, relay_addr: addr })),
    legs: legs.map(legView),
    ingress_push_status: statusOf(({ role }) => role === 'ingress'),
    egress_push_status: statusOf(({ role }) => role === 'egress'),
    relay_push_status: statusOf(({ role }) => isRelayRole(role)),
    push_error: legs.find(({ push_status: status }) => status === 'failed')?.push_error ?? null,
    running,
  };
}

export function flowView(row: FlowRow, legs: readonly LegRow[]): FlowView {
  const failed = legs.find(({ push_status: status }) => status === 'failed');
  return {
    ...row,
    config: asJsonObject(maskSecrets(parseJson(row.config))) ?? {},
    status: resourceStatus({ ...row, paused_at: null }, legs),
    push_status: worst(legs),
    push_error: failed?.push_error ?? null,
    push_error_code: failed?.push_error_code ?? null,
    legs: legs.map(legView),
  };
}

function resourceStatus(
  { removed_at: removedAt, paused_at: pausedAt }: Pick<TunnelRow, 'removed_at' | 'paused_at'>,
  legs: readonly LegRow[],
): TunnelView['status'] {
  if (removedAt !== null) return legs.length > 0 ? 'removing' : 'removed';
  if (legs.some(({ push_status: status }) => status === 'failed')) return 'failed';
  if (pausedAt !== null) return 'paused';
  const present = legs.filter(({ want }) => want === 'present');
  return present.length > 0 && present.every(({ push_status: status }) => status === 'pushed') ? 'active' : 'pending';
}

const byGravity: readonly PushStatus[] = ['failed', 'pending', 'pushing', 'pushed'];

function worst(legs: readonly LegRow[]): PushStatus | null {
  return byGravity.find((status) => legs.some((leg) => leg.push_status === status)) ?? null;
}
