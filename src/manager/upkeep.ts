import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ManagerConfig } from './config/manager-config.ts';
import type { Store } from './store/store.ts';

const everyMs = 60_000;
const dayMs = 86_400_000;
const sliceRows = 5_000;
/** Deleting goes on for so many slices a round, so that it never holds up what is new. */
const slicesPerRound = 20;
const removedKeptMs = 30 * dayMs;

interface UpkeepDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
}

/** Deletes what has been kept long enough, in slices. */
export class Upkeep {
  readonly #dependencies: UpkeepDependencies;
  readonly #config: Pick<ManagerConfig, 'events'>;
  #timer: Timer | null = null;
  #running = false;

  constructor(dependencies: UpkeepDependencies, config: Pick<ManagerConfig, 'events'>) {
    this.#dependencies = dependencies;
    this.#config = config;
  }

  start(): void {
    this.#timer = this.#dependencies.clock.setInterval(() => void this.#run(), everyMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { clock, logger, store } = this.#dependencies;
    try {
      const oldest = clock.now() - this.#config.events.retention_days * dayMs;
      for (let slice = 0; slice < slicesPerRound; slice++) {
        if ((await store.events.prune(oldest, sliceRows)) < sliceRows) break;
      }
      await store.tunnels.forgetRemoved(clock.now() - removedKeptMs);
      await store.flows.forgetRemoved(clock.now() - removedKeptMs);
      await store.commands.forgetOld();
    } catch (error) {
      logger.warn({ error }, 'old rows could not be deleted, they will be later');
    } finally {
      this.#running = false;
    }
  }
}
