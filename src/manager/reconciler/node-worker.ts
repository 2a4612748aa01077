import { randomUUID } from 'node:crypto';
import type { Logger } from '../../lib/logger.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { disconnectedText, timedOutText, type CommandDesk, type CommandResult } from '../commands/command-desk.ts';
import type { OwnEvents } from '../events/own-events.ts';
import type { LiveNode } from '../hub/live-node.ts';
import { NodePlan } from '../reconcile/node-plan.ts';
import type { PlanAction, PlanEvent, PlanInput, PlanSettings } from '../reconcile/plan-types.ts';
import type { LegRow } from '../store/schema.ts';
import type { DriftKeeper } from './drift-keeper.ts';
import type { LegReader } from './leg-reader.ts';
import { LegRecorder, type LegRecorderDependencies } from './leg-recorder.ts';
import { readDigests } from './read-digests.ts';
import { TaskQueue } from './task-queue.ts';

export interface NodeWorkerDependencies extends LegRecorderDependencies {
  readonly logger: Logger;
  readonly desk: CommandDesk;
  readonly reader: LegReader;
  readonly drift: DriftKeeper;
  readonly events: OwnEvents;
}

/** Carries out the plan of one node for one session: in its order, each change of a leg a compare-and-set. */
export class NodeWorker {
  readonly node: LiveNode;
  readonly #dependencies: NodeWorkerDependencies;
  readonly #settings: PlanSettings;
  #plan: NodePlan;
  readonly #queue: TaskQueue;
  readonly #recorder: LegRecorder;
  #left = false;

  constructor(node: LiveNode, dependencies: NodeWorkerDependencies, settings: PlanSettings) {
    this.node = node;
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#plan = new NodePlan(settings);
    const { clock, logger } = dependencies;
    this.#recorder = new LegRecorder(node, dependencies, {
      planned: (legId) => this.#plan.get(legId),
      onStale: (legId) => this.#reload(legId),
      onGhostKept: (legId) => this.#plan.spareGhost(legId),
    });
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
      await this.#recorder.recordLeft();
      this.#recorder.forgetPushes();
      this.#plan = new NodePlan(this.#settings);
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
      case 'list-authorized':
        void this.#listAuthorized();
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
        this.#queue.add(() => this.#recorder.record(action));
    }
  }

  async #push({ leg, pushId }: Extract<PlanAction, { kind: 'push' }>): Promise<void> {
    const begun = await this.#recorder.beginPush(leg, pushId);
    if (begun === null) {
      await this.#reload(leg.id, { pushId, generation: leg.generation });
      return;
    }
    const actions = await this.#dependencies.reader.actions(begun.row);
    void this.#send(leg.id, pushId, actions ?? [], begun.commandId);
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
    this.#seen(plan, result.kind === 'done' ? { kind: 'config', content: result.data } : { kind: 'fetch-failed' });
  }

  async #listAuthorized(): Promise<void> {
    const plan = this.#plan;
    const result = await this.#dependencies.desk.send(this.node, { type: 'list_authorized' });
    if (result.kind === 'refused') this.#seen(plan, { kind: 'authorized', digests: null });
    else if (result.kind === 'done') this.#seen(plan, { kind: 'authorized', digests: readDigests(result.data) });
    else this.#seen(plan, { kind: 'fetch-failed' });
  }

  /** What a look at the node brought. What differs is read again before: other instances resolve differences, too. */
  #seen(plan: NodePlan, input: PlanInput): void {
    if (plan !== this.#plan) return;
    if (plan.phase !== 'fetching') {
      this.feed(input);
      return;
    }
    this.#queue.add(async () => {
      const open = await this.#dependencies.drift.open(this.node.id);
      if (this.#left || plan !== this.#plan) return;
      this.feed({ kind: 'drift-changed', open });
      this.feed(input);
    });
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
