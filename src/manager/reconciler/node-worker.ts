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

const retryMs = 1_000;
/** Then the plan begins anew from what is stored. */
const maxRetries = 60;

/** Carries out the plan of one node for one session: in its order, each change of a leg a compare-and-set. */
export class NodeWorker {
  readonly node: LiveNode;
  readonly #dependencies: NodeWorkerDependencies;
  readonly #plan: NodePlan;
  readonly #guards = new Map<number, PushGuard>();
  #last: Promise<void> = Promise.resolve();
  #left = false;

  constructor(node: LiveNode, dependencies: NodeWorkerDependencies, settings: PlanSettings) {
    this.node = node;
    this.#dependencies = dependencies;
    this.#plan = new NodePlan(settings);
  }

  get phase(): string {
    return this.#plan.phase;
  }

  /** Loads what the node should run and begins. */
  start(): void {
    this.#inTurn(async () => {
      const { store, reader, drift } = this.#dependencies;
      await store.legs.releaseOrphans(this.node.id);
      const [legs, open] = [await reader.ofNode(this.node.id), await drift.open(this.node.id)];
      if (!this.#left) this.feed({ kind: 'online', nodeKind: this.node.kind, legs, drift: open });
    });
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
    this.#inTurn(async () => {
      const open = await this.#dependencies.drift.open(this.node.id);
      if (!this.#left) this.feed({ kind: 'drift-changed', open });
    });
  }

  /** Resolves when all that was decided so far is stored. */
  settled(): Promise<void> {
    return this.#last;
  }

  #inTurn(task: () => Promise<void>): void {
    this.#last = this.#last.then(() => this.#persistently(task));
  }

  async #persistently(task: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#dependencies;
    for (let tries = 1; ; tries++) {
      try {
        await task();
        return;
      } catch (error) {
        if (tries === 1) logger.warn({ error, node: this.node.name }, 'a change of a leg cannot be stored yet');
        if (tries >= maxRetries) {
          if (!this.#left) this.start();
          return;
        }
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, retryMs));
      }
    }
  }

  #carryOut(action: PlanAction): void {
    switch (action.kind) {
      case 'push':
        this.#inTurn(() => this.#push(action));
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
        this.#inTurn(() => this.#dependencies.drift.put(this.node.id, action.difference));
        return;
      case 'close-drift':
        this.#inTurn(() => this.#dependencies.drift.close(this.node.id, action.resource, action.resourceId));
        return;
      default:
        this.#inTurn(() => this.#record(action));
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
    this.#answered(legId, pushId, result);
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
    const result = await this.#dependencies.desk.send(this.node, { type: 'get_config' });
    this.feed(result.kind === 'done' ? { kind: 'config', content: result.data } : { kind: 'fetch-failed' });
  }

  async #listAuthorised(): Promise<void> {
    const result = await this.#dependencies.desk.send(this.node, { type: 'list_authorized' });
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
    this.#guards.delete(action.pushId);
    if (guard === undefined) return;
    const common = { updated_at: clock.now() };
    const pushed = action.kind === 'record-pushed';
    const change = pushed
      ? { ...common, pushed_generation: action.generation, push_error: null, push_error_code: null, failed_for_ms: 0 }
      : { ...common, push_error: action.error, push_error_code: action.errorCode };
    const row = await store.legs.endPush(action.legId, guard, pushed ? 'pushed' : 'failed', change);
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
