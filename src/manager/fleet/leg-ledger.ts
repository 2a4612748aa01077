import { randomUUID } from 'node:crypto';
import type { LegRole, LegRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** One thing that one node must hold. */
export interface WantedLeg {
  readonly role: LegRole;
  readonly nodeId: string;
}

export interface LegOwner {
  readonly tunnelId?: string;
  readonly flowId?: string;
}

/**
 * Brings the stored legs of a tunnel or flow in line with what is wanted, within the caller's transaction. Each wanted
 * leg gets a new generation. A leg that is no longer wanted stays as `absent` until its node has removed it. Returns
 * all that changed.
 */
export async function applyLegs(
  store: Store,
  owner: LegOwner,
  wanted: readonly WantedLeg[],
  now: number,
): Promise<readonly LegRow[]> {
  const existing = await legsOf(store, owner);
  const changed: LegRow[] = [];
  for (const leg of wanted) {
    const known = existing.find((row) => row.role === leg.role && row.node_id === leg.nodeId);
    if (known === undefined) {
      const row = newLeg(owner, leg, now);
      await store.legs.insert([row]);
      changed.push(row);
    } else {
      const row = await store.legs.want(known.id, { want: 'present', updated_at: now });
      if (row !== null) changed.push(row);
    }
  }
  for (const row of existing) {
    if (wanted.some((leg) => leg.role === row.role && leg.nodeId === row.node_id)) continue;
    // A node that keeps the tunnel in another role must not get a command to delete it.
    const stays = wanted.some((leg) => leg.nodeId === row.node_id);
    const absent = await store.legs.want(row.id, { want: 'absent', updated_at: now });
    if (absent === null) continue;
    if (stays) await store.legs.remove(row.id, { generation: absent.generation });
    else changed.push(absent);
  }
  return changed;
}

/** The nodes have what these legs are for; nothing is pushed. Within the caller's transaction. */
export async function markPushed(store: Store, legs: readonly LegRow[]): Promise<void> {
  for (const { id, generation, push_status: status } of legs) {
    await store.legs.change(id, { generation, status }, { push_status: 'pushed', pushed_generation: generation });
  }
}

function legsOf(store: Store, { tunnelId, flowId }: LegOwner): Promise<readonly LegRow[]> {
  return tunnelId === undefined ? store.legs.ofFlows([flowId ?? '']) : store.legs.ofTunnels([tunnelId]);
}

function newLeg({ tunnelId, flowId }: LegOwner, { role, nodeId }: WantedLeg, now: number): LegRow {
  return {
    id: randomUUID(),
    tunnel_id: tunnelId ?? null,
    flow_id: flowId ?? null,
    node_id: nodeId,
    role,
    want: 'present',
    generation: 1,
    pushed_generation: null,
    push_status: 'pending',
    push_error: null,
    push_error_code: null,
    attempts: 0,
    failed_for_ms: 0,
    session: null,
    command_id: null,
    updated_at: now,
  };
}
