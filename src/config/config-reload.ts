import { errorMessage } from '../lib/app-error.ts';
import type { Logger } from '../lib/logger.ts';
import { TurnQueue } from '../lib/turn-queue.ts';

/** What became of a config that was read again. */
export interface ReloadOutcome {
  /** In force from now on; keys with dots between levels. */
  readonly applied: readonly string[];
  /** Changed in the file and not in force before a restart. */
  readonly needsRestart: readonly string[];
  /** Parts that could not be put in force, with the reason; the rest is. */
  readonly failed?: readonly string[];
}

/**
 * Reads a config again on request, one time after the other. A wrong config changes nothing. Where a part cannot be
 * had, such as an address, the rest is in force.
 */
export class ConfigReload {
  readonly #reload: () => Promise<ReloadOutcome>;
  readonly #logger: Logger;
  readonly #turns = new TurnQueue();

  /**
   * `reload` reads the config and puts it in force; it rejects with an AppError when it cannot, and has changed nothing
   * then.
   */
  constructor(reload: () => Promise<ReloadOutcome>, logger: Logger) {
    this.#reload = reload;
    this.#logger = logger;
  }

  /** Resolves when it is done, whatever became of it. */
  request(cause: 'SIGHUP' | 'file changed'): Promise<void> {
    return this.#turns.run(() => this.#run(cause));
  }

  async #run(cause: string): Promise<void> {
    try {
      const { applied, needsRestart, failed = [] } = await this.#reload();
      if (needsRestart.length > 0) {
        this.#logger.warn({ keys: needsRestart }, 'config changes need a restart');
      }
      if (failed.length > 0) {
        this.#logger.error({ cause, applied, problems: failed }, 'config reloaded in part');
        return;
      }
      // The program writes some keys itself, which is no news.
      if (applied.length > 0 || needsRestart.length > 0 || cause === 'SIGHUP') {
        this.#logger.info({ cause, applied }, 'config reloaded');
      }
    } catch (error) {
      this.#logger.error({ cause, problem: errorMessage(error) }, 'config not reloaded, the old one stays in force');
    }
  }
}
