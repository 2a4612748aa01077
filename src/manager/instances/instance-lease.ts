import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { OwnEvents } from '../events/own-events.ts';
import type { Store } from '../store/store.ts';

export interface InstanceFacts {
  readonly name: string;
  readonly url: string | null;
  readonly version: string;
}

export interface InstanceLeaseDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly events: () => OwnEvents;
  /** While true nothing may be pushed. */
  readonly onFenced: (fenced: boolean) => void;
  /**
   * After each renewal: the sessions that were this instance's at `atMs` (monotonic), by node id. Nodes that came
   * before, and have none, belong to another instance or to none.
   */
  readonly onHeld: (sessions: ReadonlyMap<string, number>, atMs: number) => void;
  /** Sessions of these nodes were ended, because their instance is gone. */
  readonly onReaped: (nodeIds: readonly string[]) => void;
  /** True: this instance alone has lost the database, so its nodes are better off elsewhere. False: it is back. */
  readonly onCutOff: (cutOff: boolean) => void;
  /** Whether the instance at this address says that it is ready. Never rejects. */
  readonly isReady: (url: string) => Promise<boolean>;
}

/** An instance that has not renewed for so long is dead. */
export const leaseMs = 15_000;
const renewEveryMs = 5_000;
/** Earlier than another instance may take this one for dead. */
const fenceAfterMs = 10_000;
/** At this age it asks whether another instance is well. Where none is, the database is away for all. */
const askAfterMs = 30_000;
/** … if it has tried for so long: the lease of a process that stood still is old, too. */
const leastTriedMs = 20_000;
const askEveryMs = 1_000;
const forgetAfterMs = 86_400_000;

/** This instance among others: its lease, and the sessions of those whose lease ran out. */
export class InstanceLease {
  readonly #dependencies: InstanceLeaseDependencies;
  readonly #facts: InstanceFacts;
  #id: string = randomUUID();
  readonly #timers: Timer[] = [];
  /** Former ids of this process; their sessions are still to be taken over. */
  #former: string[] = [];
  /** When the renewal that the lease rests on was asked for. */
  #renewedAtMs = 0;
  #fenced = false;
  #renewing = false;
  /** When the first try began that has not succeeded yet; a process that stood still has not tried. */
  #tryingSinceMs: number | null = null;
  #cutOff = false;
  #asking = false;
  /** Since when renewing goes well; until a lease has passed since, others may not have had their turn to renew. */
  #soundSinceMs = -leaseMs;
  /** Where the other instances are, as they were last seen. */
  #peers: readonly string[] = [];

  constructor(dependencies: InstanceLeaseDependencies, facts: InstanceFacts) {
    this.#dependencies = dependencies;
    this.#facts = facts;
  }

  get id(): string {
    return this.#id;
  }

  get ageMs(): number {
    return this.#dependencies.clock.monotonicMs() - this.#renewedAtMs;
  }

  get isFenced(): boolean {
    return this.#fenced;
  }

  /**
   * `alone`: the database has no other instance; whatever one is listed has crashed. Among several, one with this
   * instance's own address is its former life.
   */
  async start(alone: boolean): Promise<void> {
    const { clock, store } = this.#dependencies;
    for (const { id, url } of await store.instances.all()) {
      if (alone || (url !== null && url === this.#facts.url)) await store.instances.remove(id);
    }
    await this.#register(this.#id);
    await this.#reap();
    await store.legs.releaseOrphans();
    await this.#learnPeers();
    this.#timers.push(
      clock.setInterval(() => void this.#renew(), renewEveryMs),
      clock.setInterval(() => void this.#askPeers(), askEveryMs),
    );
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    try {
      await this.#dependencies.store.instances.remove(this.#id);
    } catch (error) {
      this.#dependencies.logger.debug({ error }, 'the lease could not be given back, it runs out');
    }
  }

  /**
   * Ends the sessions of dead instances; exactly one instance reports each. Not soon after the database was away or
   * slow: then all leases are old, also those of instances that are well.
   */
  async #reap(): Promise<void> {
    const { clock, store, events, onReaped } = this.#dependencies;
    if (clock.monotonicMs() - this.#soundSinceMs < leaseMs) return;
    const gone = await store.sessions.reap(leaseMs, this.#id);
    for (const { node_id: nodeId } of gone) events().disconnected(nodeId, 'its manager instance is gone', null);
    onReaped(gone.map(({ node_id: id }) => id));
    if (gone.length > 0) await store.legs.releaseOrphans();
  }

  async #register(id: string): Promise<void> {
    const { clock, store } = this.#dependencies;
    const askedAtMs = clock.monotonicMs();
    await store.instances.register({ id, ...this.#facts, started_at: clock.now() });
    this.#id = id;
    this.#renewedAtMs = askedAtMs;
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const { clock, logger, store } = this.#dependencies;
    this.#tryingSinceMs ??= clock.monotonicMs();
    const slow = clock.setTimeout(() => this.#setFenced(true), Math.max(0, fenceAfterMs - this.ageMs));
    try {
      const askedAtMs = clock.monotonicMs();
      const known = await store.instances.renew(this.#id);
      const answeredAtMs = clock.monotonicMs();
      if (answeredAtMs - askedAtMs > renewEveryMs) this.#soundSinceMs = answeredAtMs;
      // The database may have renewed it at any moment since it was asked: it is late if the last moment is.
      if (known && this.ageMs <= leaseMs) this.#renewedAtMs = askedAtMs;
      else await this.#takeNew();
      await this.#takeOver();
      this.#tryingSinceMs = null;
      this.#setFenced(false);
      this.#setCutOff(false);
      await this.#reap();
      await this.#learnPeers();
      await store.instances.forgetOlder(forgetAfterMs);
    } catch (error) {
      this.#soundSinceMs = clock.monotonicMs();
      if (this.ageMs >= fenceAfterMs) this.#setFenced(true);
      logger.debug({ error }, 'the lease could not be renewed');
    } finally {
      slow.cancel();
      this.#renewing = false;
    }
  }

  async #learnPeers(): Promise<void> {
    const instances = await this.#dependencies.store.instances.all();
    this.#peers = instances.flatMap(({ id, url }) => (id === this.#id || url === null ? [] : [url]));
  }

  /** Cut off alone, rather than all without a database? A peer that is ready has it. */
  async #askPeers(): Promise<void> {
    if (this.#cutOff || this.#asking || !this.#triesInVain()) return;
    this.#asking = true;
    const answers = await Promise.all(this.#peers.map((url) => this.#dependencies.isReady(url)));
    this.#asking = false;
    if (answers.includes(true) && this.#triesInVain()) this.#setCutOff(true);
  }

  #triesInVain(): boolean {
    const since = this.#tryingSinceMs;
    const triedMs = since === null ? 0 : this.#dependencies.clock.monotonicMs() - since;
    return this.ageMs >= askAfterMs && triedMs >= leastTriedMs;
  }

  #setCutOff(cutOff: boolean): void {
    if (this.#cutOff === cutOff) return;
    this.#cutOff = cutOff;
    if (cutOff)
      this.#dependencies.logger.error({}, 'cut off from the database alone, nodes are sent to other instances');
    this.#dependencies.onCutOff(cutOff);
  }

  /** After a pause others may have ended this instance's sessions: it goes on under a new id. */
  async #takeNew(): Promise<void> {
    const { clock, logger } = this.#dependencies;
    const former = this.#id;
    await this.#register(randomUUID());
    this.#former.push(former);
    this.#soundSinceMs = clock.monotonicMs();
    logger.warn({}, 'the lease had run out, a new one was taken');
  }

  /** Keeps the sessions that no other instance took meanwhile, and returns them. */
  async #takeOver(): Promise<void> {
    const { clock, store, onHeld } = this.#dependencies;
    for (const former of this.#former) {
      await store.sessions.adopt(former, this.#id);
      await store.instances.remove(former);
    }
    this.#former = [];
    const askedAtMs = clock.monotonicMs();
    onHeld(await store.sessions.heldBy(this.#id), askedAtMs);
  }

  #setFenced(fenced: boolean): void {
    if (this.#fenced === fenced) return;
    this.#fenced = fenced;
    if (fenced) this.#dependencies.logger.warn({}, 'the lease cannot be renewed, nothing is pushed meanwhile');
    this.#dependencies.onFenced(fenced);
  }
}
