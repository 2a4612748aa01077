import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EventRow, NewEvent } from '../store/schema.ts';
import type { EventStore } from '../store/store.ts';

interface Waiting {
  readonly event: NewEvent;
  readonly nodeId: string | null;
}

export interface EventInboxDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: EventStore;
  /** After the commit; those that were stored before are not among them. */
  readonly onStored: (events: readonly EventRow[]) => void;
  /** How many events of a node wait has changed. */
  readonly onCommitted: (nodeIds: readonly string[]) => void;
}

/** What an event takes in memory beside its texts, about. */
const bytesPerEvent = 500;
/** Nodes are held up beyond this, however few events each of them has here. */
const mostHeldBytes = 128 * 1_048_576;
/** Without a reader of the metrics they must not pile up. */
const mostCommitTimes = 10_000;
const groupMs = 5;
/** One statement of the store. */
const maxGroup = 350;
const retryMs = 1_000;

/**
 * Every event on its way to the database, in the order in which it came. Many share one commit; while the database is
 * away they wait. Nothing is dropped: nodes that fill it are held up instead (see `waiting`).
 */
export class EventInbox {
  readonly #dependencies: EventInboxDependencies;
  #queue: Waiting[] = [];
  readonly #waiting = new Map<string, number>();
  readonly #barriers: { readonly after: number; readonly done: () => void }[] = [];
  #taken = 0;
  #committed = 0;
  #heldBytes = 0;
  #timer: Timer | null = null;
  #writing = false;
  #failing = false;
  #stopped = false;
  #commitMs: number[] = [];

  constructor(dependencies: EventInboxDependencies) {
    this.#dependencies = dependencies;
  }

  get uncommitted(): number {
    return this.#taken - this.#committed;
  }

  /** The database takes events. */
  get isHealthy(): boolean {
    return !this.#failing;
  }

  /** There is more than memory should hold: nodes that send events must wait. */
  get isFull(): boolean {
    return this.#heldBytes >= mostHeldBytes;
  }

  /** There is room for those again that wait because it was full. */
  get hasRoom(): boolean {
    return this.#heldBytes < mostHeldBytes / 2;
  }

  /** How many of this node are not committed yet. */
  waiting(nodeId: string): number {
    return this.#waiting.get(nodeId) ?? 0;
  }

  /** Durations of the commits since the last call, milliseconds; of many, the latest. */
  takeCommitTimes(): readonly number[] {
    const times = this.#commitMs;
    this.#commitMs = [];
    return times;
  }

  put(event: NewEvent): void {
    const nodeId = event.node_id ?? null;
    this.#queue.push({ event, nodeId });
    this.#taken += 1;
    this.#heldBytes += bytesOf(event);
    if (nodeId !== null) this.#waiting.set(nodeId, this.waiting(nodeId) + 1);
    // While the database is away only the retry uses it, however many events come.
    if (this.#queue.length >= maxGroup && !this.#failing) this.#flush();
    else this.#timer ??= this.#dependencies.clock.setTimeout(() => this.#flush(), groupMs);
  }

  /** Calls back once everything that was put before is committed; at once when it is. */
  afterCommit(done: () => void): void {
    if (this.#committed === this.#taken) done();
    else this.#barriers.push({ after: this.#taken, done });
  }

  /** Resolves when all is committed, or the database did not take it within `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#flush();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.afterCommit(() => resolve(undefined));
    using _timer = this.#dependencies.clock.setTimeout(() => resolve(undefined), timeoutMs);
    await promise;
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (!this.#writing && this.#queue.length > 0 && !this.#stopped) void this.#write();
  }

  async #write(): Promise<void> {
    const { clock, logger, store } = this.#dependencies;
    this.#writing = true;
    const group = this.#queue.slice(0, maxGroup);
    const startedMs = clock.monotonicMs();
    try {
      const stored = await store.insert(group.map(({ event }) => event));
      if (this.#commitMs.length >= mostCommitTimes) this.#commitMs = [];
      this.#commitMs.push(clock.monotonicMs() - startedMs);
      this.#failing = false;
      this.#queue = this.#queue.slice(group.length);
      this.#done(group, stored);
    } catch (error) {
      if (!this.#failing) logger.error({ error, waiting: this.uncommitted }, 'events cannot be stored, they wait');
      this.#failing = true;
      this.#timer?.cancel();
      if (!this.#stopped) this.#timer = clock.setTimeout(() => this.#flush(), retryMs);
      return;
    } finally {
      this.#writing = false;
    }
    if (this.#queue.length > 0) this.#flush();
  }

  #done(group: readonly Waiting[], stored: readonly EventRow[]): void {
    this.#committed += group.length;
    const nodes = new Set<string>();
    for (const { event, nodeId } of group) {
      this.#heldBytes -= bytesOf(event);
      if (nodeId === null) continue;
      nodes.add(nodeId);
      const left = this.waiting(nodeId) - 1;
      if (left > 0) this.#waiting.set(nodeId, left);
      else this.#waiting.delete(nodeId);
    }
    while (this.#barriers[0] !== undefined && this.#barriers[0].after <= this.#committed)
      this.#barriers.shift()?.done();
    this.#dependencies.onCommitted([...nodes]);
    if (stored.length > 0) this.#dependencies.onStored(stored);
  }
}

function bytesOf({ message, details }: NewEvent): number {
  return bytesPerEvent + message.length + (details?.length ?? 0);
}
