import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { LiveNode } from '../hub/live-node.ts';
import type { PlanLeg } from '../reconcile/plan-leg.ts';
import type { PlanAction } from '../reconcile/plan-types.ts';
import type { LegRow } from '../store/schema.ts';
import type { PushGuard, Store } from '../store/store.ts';

export interface LegRecorderDependencies {
  readonly clock: Clock;
  readonly store: Store;
  /** Legs of these tunnels were recorded: others that wait for them may go. */
  readonly tunnelLegsRecorded: (tunnelIds: readonly string[]) => void;
  readonly legsRecorded: (legs: readonly PlanLeg[]) => void;
  /** True when it was removed. */
  readonly removeGhost: (leg: PlanLeg, nodeId: string) => Promise<boolean>;
  readonly countPush: (result: 'pushed' | 'failed' | 'confirmed') => void;
}

/** What the recorder asks of the worker that owns the plan. */
export interface LegRecorderOwner {
  /** The leg as the plan has it now; null when the plan has none. */
  readonly planned: (legId: string) => PlanLeg | null;
  /** The stored leg is no longer the one that was pushed. */
  readonly onStale: (legId: string) => Promise<void>;
  readonly onGhostKept: (legId: string) => void;
}

/** The actions that change what is stored of a leg or its node. */
export type Recordable = Exclude<
  PlanAction,
  {
    kind: 'push' | 'fetch-config' | 'list-authorized' | 'raise' | 'unreadable-config' | 'open-drift' | 'close-drift';
  }
>;

/**
 * Writes the legs of one node for one session, each change a compare-and-set. What fails may be called again: it has
 * changed nothing, or it changes the same once more.
 */
export class LegRecorder {
  readonly #node: LiveNode;
  readonly #dependencies: LegRecorderDependencies;
  readonly #owner: LegRecorderOwner;
  /** Of the plan's pushes that are not recorded yet, by their number. */
  readonly #guards = new Map<number, PushGuard>();

  constructor(node: LiveNode, dependencies: LegRecorderDependencies, owner: LegRecorderOwner) {
    this.#node = node;
    this.#dependencies = dependencies;
    this.#owner = owner;
  }

  /**
   * Records that a push begins. Null when an operator was faster, the leg was pushed meanwhile, or the session is no
   * longer the node's.
   */
  async beginPush(leg: PlanLeg, pushId: number): Promise<{ readonly row: LegRow; readonly commandId: string } | null> {
    const { store, legsRecorded } = this.#dependencies;
    // The same at each try: what failed may have begun it all the same.
    const guard = this.#guards.get(pushId) ?? { session: this.#node.session, commandId: randomUUID() };
    this.#guards.set(pushId, guard);
    const row =
      (await store.legs.beginPush(leg.id, { generation: leg.generation }, guard)) ??
      (await this.#storedRow(leg.id, guard.commandId));
    if (row === null) {
      this.#guards.delete(pushId);
      return null;
    }
    legsRecorded([leg]);
    return { row, commandId: guard.commandId };
  }

  /** Pushes that were begun are another plan's. */
  forgetPushes(): void {
    this.#guards.clear();
  }

  async record(action: Recordable): Promise<void> {
    const { store, clock, removeGhost } = this.#dependencies;
    switch (action.kind) {
      case 'record-pushed':
      case 'record-failed':
        await this.#recordAnswer(action);
        return;
      case 'record-confirmed':
        await this.#recordConfirmed(action.leg);
        return;
      case 'record-absent':
        await store.legs.remove(action.leg.id, { generation: action.leg.generation });
        this.#recorded(action.leg);
        return;
      case 'record-failed-for': {
        const { leg, failedForMs } = action;
        const seen = { generation: leg.generation, status: 'failed' } as const;
        await store.legs.change(leg.id, seen, { failed_for_ms: Math.round(failedForMs) });
        return;
      }
      case 'record-left':
        await this.recordLeft();
        return;
      case 'compared':
        if (action.possible) await store.nodes.change(this.#node.id, { last_compared_at: clock.now() });
        return;
      case 'ghost':
        if (!(await removeGhost(action.leg, this.#node.id))) this.#owner.onGhostKept(action.leg.id);
    }
  }

  /** Records that the session ended, or that its pushes are void. */
  async recordLeft(): Promise<void> {
    const { store, tunnelLegsRecorded } = this.#dependencies;
    const rows = await store.legs.left(this.#node.id, this.#node.session);
    tunnelLegsRecorded(rows.flatMap(({ tunnel_id: id }) => (id === null ? [] : [id])));
  }

  async #recordAnswer(action: Extract<PlanAction, { kind: 'record-pushed' | 'record-failed' }>): Promise<void> {
    const { store, clock } = this.#dependencies;
    const guard = this.#guards.get(action.pushId);
    if (guard === undefined) return;
    const common = { updated_at: clock.now() };
    const pushed = action.kind === 'record-pushed';
    const change = pushed
      ? { ...common, pushed_generation: action.generation, push_error: null, push_error_code: null, failed_for_ms: 0 }
      : { ...common, push_error: action.error, push_error_code: action.errorCode };
    const row = await store.legs.endPush(action.legId, guard, pushed ? 'pushed' : 'failed', change);
    // Not before: until it is stored this is tried again.
    this.#guards.delete(action.pushId);
    if (row === null) {
      await this.#owner.onStale(action.legId);
      return;
    }
    const leg = this.#owner.planned(action.legId);
    if (leg !== null) this.#recorded(leg);
  }

  async #recordConfirmed(leg: PlanLeg): Promise<void> {
    const { store, countPush } = this.#dependencies;
    if (!(await store.legs.confirm(leg.id, { generation: leg.generation }, this.#node.session))) return;
    countPush('confirmed');
    this.#recorded(leg);
  }

  #recorded(leg: PlanLeg): void {
    this.#dependencies.legsRecorded([leg]);
    if (leg.resource === 'tunnel') this.#dependencies.tunnelLegsRecorded([leg.resourceId]);
  }

  /** The leg, where it is being pushed by this command. */
  async #storedRow(legId: string, commandId: string): Promise<LegRow | null> {
    const rows = await this.#dependencies.store.legs.ofNode(this.#node.id);
    return (
      rows.find((row) => row.id === legId && row.command_id === commandId && row.push_status === 'pushing') ?? null
    );
  }
}
