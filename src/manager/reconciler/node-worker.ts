import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { disconnectedText, timedOutText, type CommandDesk, type CommandResult } from '../commands/command-desk.ts';
import type { OwnEvents } from '../events/own-events.ts';
import type { LiveNode } from '../hub/live-node.ts';
import { NodePlan } from '../reconcile/node-plan.ts';
import type { PlanLeg } from '../reconcile/plan-leg.ts';
import type { PlanAction, PlanEvent, PlanInput, PlanSettings } from '../reconcile/plan-types.ts';
import type { LegRow } from '../store/schema.ts';
import type { PushGuard, Store } from '../store/store.ts';
import type { DriftKeeper } from './drift-keeper.ts';
import type { LegReader } from './leg-reader.ts';
import { readDigests } from './read-digests.ts';
import { TaskQueue } from './task-queue.ts';

export interface NodeWorkerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly desk: CommandDesk;
  readonly reader: LegReader;
  readonly drift: DriftKeeper;
  readonly events: OwnEvents;
  /** Legs of these tunnels were recorded: others that wait for them may go. */
  readonly tunnelLegsRecorded: (tunnelIds: readonly string[]) => void;
  readonly legsRecorded: (legs: readonly PlanLeg[]) => void;
  /** True when it was removed. */
  readonly removeGhost: (leg: PlanLeg, nodeId: string) => Promise<boolean>;
  readonly countPush: (result: 'pushed' | 'failed' | 'confirmed') => void;
}

/** What is stored one after the other. */
type Recordable = Exclude<
  PlanAction,
  {
    kind: 'push' | 'fetch-config' | 'list-authorised' | 'raise' | 'unreadable-config' | 'open-drift' | 'close-drift';
  }
>;

/** Carries out the plan of one node for one session: in its order, each change of a leg a compare-and-set. */
export class NodeWorker {
  readonly node: LiveNode;
  readonly #dependencies: NodeWorkerDependencies;
  readonly #settings: PlanSettings;
  #plan: NodePlan;
  /** Of the plan's pushes that are not recorded yet, by their number. */
  #guards = new Map<number, PushGuard>();
  readonly #queue: TaskQueue;
  #left = false;

  constructor(node: LiveNode, dependencies: NodeWorkerDependencies, settings: PlanSettings) {
    this.node = node;
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#plan = new NodePlan(settings);
    const { clock, logger } = dependencies;
    this.#queue = new TaskQueue({
      clock,
      onTrouble: (error) => logger.warn({ error, node: node.name }, 'a change of a leg cannot be stored yet'),
      onGivenUp: () => this.#startAnew(),
    });
  }

  get phase(): string {
    return this.#plan.phase;
  }

  /** Loads what the node should run and begins. */
  start(): void {
    this.#queue.add(async () => {
      await this.#dependencies.store.legs.releaseOrphans(this.node.id);
      await this.#begin();
    });
  }

  /**
   * Begins anew from what is stored, because something could not be recorded for too long. Pushes that are under way
   * are made again, and their answers go nowhere: they belong to the former plan.
   */
  #startAnew(): void {
    if (this.#left) return;
    this.#queue.clear();
    this.#queue.add(async () => {
      await this.#recordLeft();
      this.#plan = new NodePlan(this.#settings);
      this.#guards = new Map();
      await this.#begin();
    });
  }

  async #begin(): Promise<void> {
    const { reader, drift } = this.#dependencies;
    const [legs, open] = [await reader.ofNode(this.node.id), await drift.open(this.node.id)];
    if (!this.#left) this.feed({ kind: 'online', nodeKind: this.node.kind, legs, drift: open });
  }

  feed(input: PlanInput): void {
    for (const action of this.#plan.take(input, this.#dependencies.clock.monotonicMs())) this.#carryOut(action);
  }

  /** Tunnels of which a leg waits for legs of other nodes. */
  get heldTunnels(): readonly string[] {
    return this.#plan.heldTunnels;
  }

  holds(tunnelId: string): boolean {
    return this.#plan.holds(tunnelId);
  }

  /** The session is over; what it began is recorded as such. */
  leave(): void {
    this.feed({ kind: 'offline' });
    this.#left = true;
  }

  /** Reads what differs from the store again, then looks at the node. */
  reloadDrift(): void {
    this.#queue.add(async () => {
      const open = await this.#dependencies.drift.open(this.node.id);
      if (!this.#left) this.feed({ kind: 'drift-changed', open });
    });
  }

  /** Resolves when all that was decided so far is stored. */
  settled(): Promise<void> {
    return this.#queue.settled();
  }

  #carryOut(action: PlanAction): void {
    switch (action.kind) {
      case 'push':
        this.#queue.add(() => this.#push(action));
        return;
      case 'fetch-config':
        void this.#fetchConfig();
        return;
      case 'list-authorised':
        void this.#listAuthorised();
        return;
      case 'raise':
        this.#raise(action.event);
        return;
      case 'unreadable-config':
        this.#dependencies.logger.warn({ node: this.node.name }, 'a node’s config cannot be read, it is not compared');
        return;
      case 'open-drift':
        this.#queue.add(() => this.#dependencies.drift.put(this.node.id, action.difference));
        return;
      case 'close-drift':
        this.#queue.add(() => this.#dependencies.drift.close(this.node.id, action.resource, action.resourceId));
        return;
      default:
        this.#queue.add(() => this.#record(action));
    }
  }

  async #push({ leg, pushId }: Extract<PlanAction, { kind: 'push' }>): Promise<void> {
    const { store, reader } = this.#dependencies;
    // The same at each try: what failed may have begun it all the same.
    const guard = this.#guards.get(pushId) ?? { session: this.node.session, commandId: randomUUID() };
    this.#guards.set(pushId, guard);
    const row =
      (await store.legs.beginPush(leg.id, { generation: leg.generation }, guard)) ??
      (await this.#storedRow(leg.id, guard.commandId));
    if (row === null) {
      // An operator was faster, it was pushed meanwhile, or the session is no longer the node's.
      this.#guards.delete(pushId);
      await this.#reload(leg.id, { pushId, generation: leg.generation });
      return;
    }
    this.#dependencies.legsRecorded([leg]);
    const actions = await reader.actions(row);
    void this.#send(leg.id, pushId, actions ?? [], guard.commandId);
  }

  async #send(
    legId: string,
    pushId: number,
    actions: readonly Parameters<CommandDesk['send']>[1][],
    commandId: string,
  ): Promise<void> {
    const plan = this.#plan;
    let result: CommandResult = {
      kind: 'refused',
      error: 'the keys of this tunnel are not known',
      errorCode: 'keys_unknown',
    };
    for (const [index, action] of actions.entries()) {
      const isLast = index === actions.length - 1;
      result = await this.#dependencies.desk.send(this.node, action, isLast ? commandId : randomUUID());
      // What is closed before it is revoked may not be there.
      if (!isLast && (result.kind === 'timed-out' || result.kind === 'disconnected')) break;
    }
    if (plan === this.#plan) this.#answered(legId, pushId, result);
  }

  #answered(legId: string, pushId: number, result: CommandResult): void {
    const { countPush } = this.#dependencies;
    if (result.kind === 'done') {
      countPush('pushed');
      this.feed({ kind: 'answer', legId, pushId, ok: true });
      return;
    }
    countPush('failed');
    const refused = result.kind === 'refused';
    const error = refused ? result.error : result.kind === 'timed-out' ? timedOutText : disconnectedText;
    this.feed({ kind: 'answer', legId, pushId, ok: false, error, errorCode: refused ? result.errorCode : null });
  }

  async #fetchConfig(): Promise<void> {
    const plan = this.#plan;
    const result = await this.#dependencies.desk.send(this.node, { type: 'get_config' });
    if (plan !== this.#plan) return;
    this.feed(result.kind === 'done' ? { kind: 'config', content: result.data } : { kind: 'fetch-failed' });
  }

  async #listAuthorised(): Promise<void> {
    const plan = this.#plan;
    const result = await this.#dependencies.desk.send(this.node, { type: 'list_authorized' });
    if (plan !== this.#plan) return;
    if (result.kind === 'refused') this.feed({ kind: 'authorised', digests: null });
    else if (result.kind === 'done') this.feed({ kind: 'authorised', digests: readDigests(result.data) });
    else this.feed({ kind: 'fetch-failed' });
  }

  async #record(action: Recordable): Promise<void> {
    const { store, clock } = this.#dependencies;
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
        await this.#recordLeft();
        return;
      case 'compared':
        if (action.possible) await store.nodes.change(this.node.id, { last_compared_at: clock.now() });
        return;
      case 'ghost':
        if (!(await this.#dependencies.removeGhost(action.leg, this.node.id))) this.#plan.spareGhost(action.leg.id);
    }
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
      await this.#reload(action.legId);
      return;
    }
    const leg = this.#plan.get(action.legId);
    if (leg !== null) this.#recorded(leg);
  }

  async #recordConfirmed(leg: PlanLeg): Promise<void> {
    const { store, countPush } = this.#dependencies;
    if (!(await store.legs.confirm(leg.id, { generation: leg.generation }, this.node.session))) return;
    countPush('confirmed');
    this.#recorded(leg);
  }

  async #recordLeft(): Promise<void> {
    const { store, tunnelLegsRecorded } = this.#dependencies;
    const rows = await store.legs.left(this.node.id, this.node.session);
    tunnelLegsRecorded(rows.flatMap(({ tunnel_id: id }) => (id === null ? [] : [id])));
  }

  #recorded(leg: PlanLeg): void {
    this.#dependencies.legsRecorded([leg]);
    if (leg.resource === 'tunnel') this.#dependencies.tunnelLegsRecorded([leg.resourceId]);
  }

  /** The leg, where it is being pushed by this command. */
  async #storedRow(legId: string, commandId: string): Promise<LegRow | null> {
    const rows = await this.#dependencies.store.legs.ofNode(this.node.id);
    return (
      rows.find((row) => row.id === legId && row.command_id === commandId && row.push_status === 'pushing') ?? null
    );
  }

  async #reload(legId: string, notSent?: { readonly pushId: number; readonly generation: number }): Promise<void> {
    const { store, reader } = this.#dependencies;
    const rows: readonly LegRow[] = await store.legs.ofNode(this.node.id);
    const row = rows.find(({ id }) => id === legId);
    const [leg] = row === undefined ? [] : await reader.plan([row]);
    if (this.#left) return;
    if (leg === undefined) {
      this.feed({ kind: 'leg-gone', legId });
      return;
    }
    // Otherwise it was the session that was replaced: trying again would go on without end.
    const isVoid = notSent !== undefined && (leg.generation !== notSent.generation || leg.status === 'pushed');
    this.feed({ kind: 'leg-changed', leg, ...(isVoid && { voidPush: notSent.pushId }) });
  }

  #raise({ severity, category, message, details, resource, resourceId }: PlanEvent): void {
    const tunnelId = resource === 'flow' ? null : parseTunnelId(resourceId);
    this.#dependencies.events.raise(this.node.id, severity, category, message, details, {
      flowId: resourceId,
      tunnelId,
    });
  }
}
