import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import type { Severity } from './store/schema.ts';
import type { Store } from './store/store.ts';

const everyMs = 60_000;
const dayMs = 86_400_000;
const sliceRows = 5_000;
/** Deleting goes on for so many slices a round, so that it never holds up what is new. */
const slicesPerRound = 20;
const removedKeptMs = 30 * dayMs;
/** An operator who comes late to a difference finds for this long that it is resolved. */
const resolvedKeptMs = 30 * dayMs;

interface UpkeepDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly databaseBytes: () => Promise<number>;
}

type UpkeepSettings = Pick<ManagerConfig, 'events'> & {
  readonly limits: Pick<ManagerConfig['limits'], 'database_bytes'>;
};

/** However large the database is, the last day stays. */
const fewestDays = 1;

/** Deletes what has been kept long enough, in slices, and info events sooner while the database is too large. */
export class Upkeep {
  readonly #dependencies: UpkeepDependencies;
  readonly #config: UpkeepSettings;
  /** Shorter while the database is too large. */
  #infoDays: number;
  #timer: Timer | null = null;
  #running = false;

  constructor(dependencies: UpkeepDependencies, config: UpkeepSettings) {
    this.#dependencies = dependencies;
    this.#config = config;
    this.#infoDays = config.events.retention_days;
  }

  start(): void {
    this.#timer = this.#dependencies.clock.setInterval(() => void this.run(), everyMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** One round; nothing while another one goes on. Never rejects. */
  async run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { clock, logger, store } = this.#dependencies;
    try {
      await this.#prune(this.#config.events.retention_days);
      await this.#shorten();
      if (this.#infoDays < this.#config.events.retention_days) await this.#prune(this.#infoDays, 'info');
      await store.tunnels.forgetRemoved(clock.now() - removedKeptMs);
      await store.flows.forgetRemoved(clock.now() - removedKeptMs);
      await store.drift.forgetResolved(clock.now() - resolvedKeptMs);
      await store.commands.forgetOld();
    } catch (error) {
      logger.warn({ error }, 'old rows could not be deleted, they will be later');
    } finally {
      this.#running = false;
    }
  }

  async #prune(days: number, severity?: Severity): Promise<void> {
    const { clock, store } = this.#dependencies;
    for (let slice = 0; slice < slicesPerRound; slice++) {
      const deleted = await store.events.prune(clock.now() - days * dayMs, sliceRows, severity);
      if (deleted < sliceRows) break;
    }
  }

  /** Halves the time that info events are kept for as long as the database is too large. */
  async #shorten(): Promise<void> {
    const { logger, databaseBytes } = this.#dependencies;
    const { events, limits } = this.#config;
    const bytes = await databaseBytes();
    if (bytes <= limits.database_bytes) {
      this.#infoDays = events.retention_days;
      return;
    }
    this.#infoDays = Math.max(fewestDays, this.#infoDays / 2);
    const info_days = this.#infoDays;
    logger.warn({ bytes, limit: limits.database_bytes, info_days }, 'the database is too large, info events go sooner');
  }
}
