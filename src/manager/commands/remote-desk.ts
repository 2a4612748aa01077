import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { NODE_ANSWER_DEADLINE_MS } from '../../protocol/node/limits.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import type { NodeRoster } from '../hub/node-roster.ts';
import type { Sealing } from '../secrets/sealing.ts';
import type { Doorbell } from '../store/doorbell.ts';
import type { OpenDatabase } from '../store/open-database.ts';
import type { Store } from '../store/store.ts';
import type { CommandDesk, CommandResult } from './command-desk.ts';

export interface RemoteDeskDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly sealing: Sealing;
  readonly desk: CommandDesk;
  readonly roster: NodeRoster;
}

export interface RemoteDeskSettings {
  readonly instanceId: () => string;
  /** Legs of these nodes changed on another instance. */
  readonly onChanged: (nodeIds: readonly string[]) => void;
  /** Legs of these tunnels were pushed, or failed, on another instance. */
  readonly onRecorded: (tunnelIds: readonly string[]) => void;
  /** Carries out an order of another instance; false where the node is not here. */
  readonly onOrder: (nodeId: string, order: InstanceOrder) => boolean;
  /** What pages show of this was changed by another instance. */
  readonly onShown: (kind: string, id: string) => void;
  /** For a while no notice of another instance could come. */
  readonly onNoticesLost: () => void;
}

/** What one instance wants of the instance that holds a node, and not of the node. */
export type InstanceOrder = 'compare-now' | 'reload-drift';

/** A node's command has a `type`, an order has none. */
type Errand = CommandAction | { readonly order: InstanceOrder };

const lookEveryMs = 1_000;
/** The table is the truth: results are looked for even when no bell rings. */
const pollMs = 250;

/**
 * Commands to nodes that another instance holds, through the `commands` table. A bell (NOTIFY) only makes it fast: what
 * it would have said is found by looking, too.
 */
export class RemoteDesk {
  readonly #dependencies: RemoteDeskDependencies;
  readonly #settings: RemoteDeskSettings;
  readonly #waiting = new Map<string, () => void>();
  #bell: Doorbell | null = null;
  #timer: Timer | null = null;

  constructor(dependencies: RemoteDeskDependencies, settings: RemoteDeskSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  async start(database: OpenDatabase): Promise<void> {
    if (database.engine === 'sqlite') return;
    this.#bell = database.doorbell((text) => this.#rang(text), this.#settings.onNoticesLost);
    await this.#bell?.start();
    this.#timer = this.#dependencies.clock.setInterval(() => {
      void this.#serve();
      void this.#share();
    }, lookEveryMs);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#bell?.stop();
  }

  /** Not delivered within 10 s is `timed-out`, and then it never will be. */
  send(nodeId: string, ownerId: string, action: CommandAction): Promise<CommandResult> {
    return this.#send(nodeId, ownerId, action);
  }

  /** The same for an order. */
  order(nodeId: string, ownerId: string, order: InstanceOrder): Promise<CommandResult> {
    return this.#send(nodeId, ownerId, { order });
  }

  async #send(nodeId: string, ownerId: string, errand: Errand): Promise<CommandResult> {
    const { store, sealing, clock } = this.#dependencies;
    const id = randomUUID();
    await store.commands.insert({
      id,
      node_id: nodeId,
      owner_id: ownerId,
      asker_id: this.#settings.instanceId(),
      action_sealed: sealing.seal(JSON.stringify(errand), { table: 'commands', column: 'action', id }),
      state: 'queued',
      result: null,
      deadline_at: NODE_ANSWER_DEADLINE_MS,
    });
    this.#bell?.ring(`command ${ownerId} ${id}`);
    const deadlineMs = clock.monotonicMs() + 2 * NODE_ANSWER_DEADLINE_MS;
    while (clock.monotonicMs() < deadlineMs) {
      await this.#rings(id);
      const result = await store.commands.result(id);
      if (result !== null) return readResult(result);
    }
    return { kind: 'timed-out' };
  }

  legsChanged(nodeIds: readonly string[]): void {
    for (const id of nodeIds) this.#bell?.ring(`legs ${id}`);
  }

  legsRecorded(tunnelIds: readonly string[]): void {
    for (const id of tunnelIds) this.#bell?.ring(`recorded ${id}`);
  }

  /** Pages of other instances show it, too. */
  changed(kind: string, id: string): void {
    this.#bell?.ring(`shown ${kind} ${id}`);
  }

  #rang(text: string): void {
    const [kind, first = '', second = ''] = text.split(' ');
    if (kind === 'legs') this.#settings.onChanged([first]);
    else if (kind === 'shown') this.#settings.onShown(first, second);
    else if (kind === 'recorded') this.#settings.onRecorded([first]);
    else if (kind === 'command' && first === this.#settings.instanceId()) void this.#run(second);
    else if (kind === 'done') this.#waiting.get(first)?.();
  }

  async #rings(id: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    using _timer = this.#dependencies.clock.setTimeout(() => resolve(undefined), pollMs);
    this.#waiting.set(id, () => resolve(undefined));
    await promise;
    this.#waiting.delete(id);
  }

  /** What waits for this instance, whether its bell rang or not. */
  async #serve(): Promise<void> {
    const { store, logger } = this.#dependencies;
    try {
      const ids = await store.commands.queuedFor(this.#settings.instanceId());
      await Promise.all(ids.map((id) => this.#run(id)));
    } catch (error) {
      logger.debug({ error }, 'commands of other instances could not be looked up');
    }
  }

  async #run(id: string): Promise<void> {
    const { store, sealing, logger } = this.#dependencies;
    try {
      const row = await store.commands.claim(id, this.#settings.instanceId());
      if (row === null) return;
      const opened = sealing.open(row.action_sealed, { table: 'commands', column: 'action', id });
      const result = await this.#carryOut(row.node_id, asJsonObject(parseJson(opened)) ?? {});
      await store.commands.finish(id, JSON.stringify(result));
      this.#bell?.ring(`done ${id}`);
    } catch (error) {
      logger.warn({ error }, 'a command of another instance could not be carried out');
    }
  }

  async #carryOut(nodeId: string, errand: Readonly<Record<string, unknown>>): Promise<CommandResult> {
    const { desk, roster } = this.#dependencies;
    const { type, order } = errand;
    const node = roster.get(nodeId);
    if (node === null) return { kind: 'disconnected' };
    if (typeof type === 'string') return desk.send(node, { ...errand, type });
    const isKnown = order === 'compare-now' || order === 'reload-drift';
    return isKnown && this.#settings.onOrder(nodeId, order) ? { kind: 'done', data: null } : { kind: 'disconnected' };
  }

  /** The stats of nodes that a browser at another instance looks at. */
  async #share(): Promise<void> {
    const { store, roster, logger } = this.#dependencies;
    try {
      const watched = await store.watches.watched(roster.nodes.map(({ id }) => id));
      const rows = watched.flatMap((id) => {
        const stats = roster.get(id)?.stats;
        return stats ? [{ node_id: id, payload: JSON.stringify(stats.payload), at: stats.at }] : [];
      });
      await store.watches.put(rows);
    } catch (error) {
      logger.debug({ error }, 'stats could not be shared with other instances');
    }
  }
}

function readResult(text: string): CommandResult {
  const fields = asJsonObject(parseJson(text)) ?? {};
  const { kind, error, errorCode, data } = fields;
  if (kind === 'done') return { kind, data: data ?? null };
  if (kind === 'refused') {
    const code = typeof errorCode === 'string' ? errorCode : null;
    return { kind, error: typeof error === 'string' ? error : '', errorCode: code };
  }
  return kind === 'timed-out' ? { kind } : { kind: 'disconnected' };
}
