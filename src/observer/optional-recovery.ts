import type { ObserverConfig } from './config/observer-config.ts';
import { Recovery, type RecoverySetupDependencies } from './recovery-setup.ts';
import { RecoveryCounters } from './recovery/recovery-counters.ts';
import type { RecoveryCommand } from './recovery/recovery-runner.ts';
import type { Slot } from './slots/slot.ts';

export interface OptionalRecoveryDependencies extends Omit<RecoverySetupDependencies, 'ownNamespace'> {
  /** Asked when a recovery begins. */
  readonly ownNamespace: () => bigint | null;
}

/** The recovery of an observer whose config has a command, now or after a reload, and what is counted of it. */
export class OptionalRecovery {
  readonly counters = new RecoveryCounters();
  readonly #dependencies: OptionalRecoveryDependencies;
  #recovery: Recovery | null = null;

  constructor(dependencies: OptionalRecoveryDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Puts a command in force; null for none, which ends the recovery and waits for its commands. Rejects with AppError
   * `unavailable` when the audit cannot be opened, having changed nothing.
   */
  async put(command: RecoveryCommand | null, config: ObserverConfig): Promise<void> {
    if (command === null) return this.stop();
    if (this.#recovery === null) this.#recovery = this.#begin(command, config);
    else this.#recovery.reconfigure(command, config);
  }

  stalled(slot: Slot): void {
    this.#recovery?.runner.stalled(slot);
  }

  /** Kills what still runs, and waits at most the grace. Idempotent. */
  async stop(): Promise<void> {
    await this.#recovery?.stop();
    this.#recovery = null;
  }

  #begin(command: RecoveryCommand, config: ObserverConfig): Recovery {
    const { ownNamespace, news, ...others } = this.#dependencies;
    return new Recovery(command, config, {
      ...others,
      ownNamespace: ownNamespace(),
      news: (found) => {
        this.counters.count(found);
        news(found);
      },
    });
  }
}
