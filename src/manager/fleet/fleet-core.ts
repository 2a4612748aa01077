import { randomUUID } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import { disconnectedText, timedOutText, type CommandDesk, type CommandResult } from '../commands/command-desk.ts';
import type { InstanceOrder } from '../commands/remote-desk.ts';
import type { OwnEvents } from '../events/own-events.ts';
import type { Actor } from '../fleet.ts';
import { FleetError } from '../fleet-error.ts';
import type { NodeRoster } from '../hub/node-roster.ts';
import type { Reconciler } from '../reconciler/reconciler.ts';
import type { Sealing } from '../secrets/sealing.ts';
import type { LegRow, NodeRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { FleetFeed } from './fleet-feed.ts';

/** Sends to a node that another instance holds, or to that instance. */
export interface RemoteCommands {
  send(nodeId: string, ownerId: string, action: CommandAction): Promise<CommandResult>;
  order(nodeId: string, ownerId: string, order: InstanceOrder): Promise<CommandResult>;
}

export interface FleetDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly store: Store;
  readonly sealing: Sealing;
  readonly roster: NodeRoster;
  readonly desk: CommandDesk;
  readonly reconciler: Reconciler;
  readonly events: OwnEvents;
  readonly feed: FleetFeed;
  readonly remote: RemoteCommands;
  readonly instanceId: () => string;
  readonly leaseMs: number;
}

export interface FleetLimits {
  readonly nodes: number;
  readonly legs: number;
  readonly offlineGraceMs: number;
}

/** What the operations of the fleet share: audited changes, and commands to nodes wherever they are. */
export class FleetCore {
  readonly dependencies: FleetDependencies;
  readonly limits: FleetLimits;

  constructor(dependencies: FleetDependencies, limits: FleetLimits) {
    this.dependencies = dependencies;
    this.limits = limits;
  }

  now(): number {
    return this.dependencies.clock.now();
  }

  newId(): string {
    return randomUUID();
  }

  /** A change and its row in the audit trail, together or not at all. Secrets are never among `before` and `after`. */
  async change<Result>(
    actor: Actor,
    action: string,
    target: string,
    work: (store: Store) => Promise<{ readonly result: Result; readonly before?: unknown; readonly after?: unknown }>,
  ): Promise<Result> {
    return this.dependencies.store.transaction(async (store) => {
      const { result, before, after } = await work(store);
      await store.audit.append({
        at: this.now(),
        actor: actor.name,
        actor_kind: actor.kind,
        ip: actor.ip,
        action,
        target,
        before: before === undefined ? null : JSON.stringify(before),
        after: after === undefined ? null : JSON.stringify(after),
        outcome: 'ok',
      });
      return result;
    });
  }

  /** Rejects with FleetError `conflict` where so many further legs would be more than the config allows. */
  async refuseTooManyLegs(further: number): Promise<void> {
    const counts = await this.dependencies.store.legs.counts();
    const now = counts.reduce((sum, { count }) => sum + count, 0);
    const { legs: most } = this.limits;
    if (now + further <= most) return;
    throw new FleetError('conflict', `there are ${now} legs already, and limits.legs allows ${most}`);
  }

  async legsChanged(rows: readonly LegRow[]): Promise<void> {
    const { reconciler, feed } = this.dependencies;
    feed.legs(rows);
    await reconciler.changed(rows);
  }

  async node(id: string): Promise<NodeRow> {
    const node = await this.dependencies.store.nodes.get(id);
    if (node === null) throw new FleetError('not_found', `there is no node ${id}`);
    return node;
  }

  /** Rejects with FleetError unless the node carried out the command. */
  async ask(nodeId: string, action: CommandAction): Promise<unknown> {
    return dataOf(await this.command(nodeId, action));
  }

  async command(nodeId: string, action: CommandAction): Promise<CommandResult> {
    const { roster, desk, remote } = this.dependencies;
    const here = roster.get(nodeId);
    return here !== null ? desk.send(here, action) : remote.send(nodeId, await this.#ownerOf(nodeId), action);
  }

  /** Has the node compared by the instance that holds it. Rejects with FleetError unless that one begins. */
  async compareNow(nodeId: string): Promise<void> {
    const { reconciler, remote } = this.dependencies;
    if (reconciler.carryOut(nodeId, 'compare-now')) return;
    dataOf(await remote.order(nodeId, await this.#ownerOf(nodeId), 'compare-now'));
  }

  /** A difference was resolved: the instance that holds the node looks again. A node that is away is compared later. */
  driftResolved(nodeId: string): void {
    const { reconciler, feed, logger } = this.dependencies;
    feed.drift(nodeId);
    if (reconciler.carryOut(nodeId, 'reload-drift')) return;
    this.#orderToLook(nodeId).catch((error: unknown) => {
      if (error instanceof FleetError && error.code === 'node_offline') return;
      logger.warn({ error }, 'the instance that holds a node does not look at its differences again');
    });
  }

  async #orderToLook(nodeId: string): Promise<void> {
    dataOf(await this.dependencies.remote.order(nodeId, await this.#ownerOf(nodeId), 'reload-drift'));
  }

  /** The other instance that holds the node. Rejects with FleetError `node_offline` where none does. */
  async #ownerOf(nodeId: string): Promise<string> {
    const { store, leaseMs, instanceId } = this.dependencies;
    const { name } = await this.node(nodeId);
    const [session] = await store.sessions.live(leaseMs, instanceId(), [nodeId]);
    if (session === undefined || session.instance_id === instanceId()) {
      throw new FleetError('node_offline', `Node ${name} is not connected`);
    }
    return session.instance_id;
  }
}

/** Throws FleetError unless it was carried out. */
function dataOf(result: CommandResult): unknown {
  switch (result.kind) {
    case 'done':
      return result.data;
    case 'refused':
      throw new FleetError('node_refused', result.error, { nodeErrorCode: result.errorCode });
    case 'timed-out':
      throw new FleetError('timed_out', timedOutText);
    case 'disconnected':
      throw new FleetError('node_offline', disconnectedText);
  }
}
