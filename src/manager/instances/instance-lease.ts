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
  /** The lease was lost and a new one taken: these nodes are still this instance's, all others are not. */
  readonly onRenewed: (nodeIds: ReadonlySet<string>) => void;
  /** True: this instance alone has lost the database, so its nodes are better off elsewhere. False: it is back. */
  readonly onCutOff: (cutOff: boolean) => void;
  /** Whether the instance at this address says that it is ready. Never rejects. */
  readonly isReady: (url: string) => Promise<boolean>;
}

/** An instance that has not renewed for so long is dead. */
export const leaseMs = 15_000;
const renewEveryMs = 5_000;
/** Before anybody else may think that this instance is dead. */
const fenceAfterMs = 10_000;
/** After trying for so long it asks whether another instance is well. Where none is, the database is away for all. */
const askAfterMs = 25_000;
const forgetAfterMs = 86_400_000;

/** This instance among others: its lease, and the sessions of those whose lease ran out. */
export class InstanceLease {
  readonly #dependencies: InstanceLeaseDependencies;
  readonly #facts: InstanceFacts;
  #id: string = randomUUID();
  #timer: Timer | null = null;
  #renewedAtMs = 0;
  #fenced = false;
  #renewing = false;
  /** When the first try began that has not succeeded yet; a process that stood still has not tried. */
  #tryingSinceMs: number | null = null;
  #cutOff = false;
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
    await this.#register();
    await this.#reap();
    await store.legs.releaseOrphans();
    await this.#learnPeers();
    this.#timer = clock.setInterval(() => {
      void this.#renew();
      void this.#askPeers();
    }, renewEveryMs);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    try {
      await this.#dependencies.store.instances.remove(this.#id);
    } catch (error) {
      this.#dependencies.logger.debug({ error }, 'the lease could not be given back, it runs out');
    }
  }

  /** Ends the sessions of dead instances; exactly one instance reports each. */
  async #reap(): Promise<void> {
    const { store, events } = this.#dependencies;
    const gone = await store.sessions.reap(leaseMs, this.#id);
    for (const { node_id: nodeId } of gone) events().disconnected(nodeId, 'its manager instance is gone', null);
    if (gone.length > 0) await store.legs.releaseOrphans();
  }

  async #register(): Promise<void> {
    const { clock, store } = this.#dependencies;
    await store.instances.register({ id: this.#id, ...this.#facts, started_at: clock.now() });
    this.#renewedAtMs = clock.monotonicMs();
  }

  async #renew(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const { clock, logger, store } = this.#dependencies;
    this.#tryingSinceMs ??= clock.monotonicMs();
    const slow = clock.setTimeout(() => this.#setFenced(true), Math.max(0, fenceAfterMs - this.ageMs));
    try {
      const late = this.ageMs > leaseMs;
      const known = await store.instances.renew(this.#id);
      if (!known || late) await this.#takeNew();
      this.#renewedAtMs = clock.monotonicMs();
      this.#tryingSinceMs = null;
      this.#setFenced(false);
      this.#setCutOff(false);
      await this.#reap();
      await this.#learnPeers();
      await store.instances.forgetOlder(forgetAfterMs);
    } catch (error) {
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
    if (this.#cutOff || !this.#triesInVain()) return;
    const answers = await Promise.all(this.#peers.map((url) => this.#dependencies.isReady(url)));
    if (answers.includes(true) && this.#triesInVain()) this.#setCutOff(true);
  }

  #triesInVain(): boolean {
    const since = this.#tryingSinceMs;
    return since !== null && this.#dependencies.clock.monotonicMs() - since >= askAfterMs;
  }

  #setCutOff(cutOff: boolean): void {
    if (this.#cutOff === cutOff) return;
    this.#cutOff = cutOff;
    if (cutOff)
      this.#dependencies.logger.error({}, 'cut off from the database alone, nodes are sent to other instances');
    this.#dependencies.onCutOff(cutOff);
  }

  /** After a pause others may have taken nodes over: a new id, and only what nobody took meanwhile. */
  async #takeNew(): Promise<void> {
    const { logger, store, onRenewed } = this.#dependencies;
    const old = this.#id;
    this.#id = randomUUID();
    await this.#register();
    const kept = await store.sessions.adopt(old, this.#id);
    await store.instances.remove(old);
    logger.warn({ nodes: kept.length }, 'the lease had run out, a new one was taken');
    onRenewed(new Set(kept.map(({ node_id: id }) => id)));
  }

  #setFenced(fenced: boolean): void {
    if (this.#fenced === fenced) return;
    this.#fenced = fenced;
    if (fenced) this.#dependencies.logger.warn({}, 'the lease cannot be renewed, nothing is pushed meanwhile');
    this.#dependencies.onFenced(fenced);
  }
}
