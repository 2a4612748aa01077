import type { Clock } from '../../lib/clock.ts';
import { TurnQueue } from '../../lib/turn-queue.ts';

const retryMs = 1_000;
/** About a minute. */
const maxTries = 60;

type Task = () => Promise<void>;

export interface TaskQueueDependencies {
  readonly clock: Clock;
  /** A task failed for the first time; it will be tried again. */
  readonly onTrouble: (error: unknown) => void;
  /** A task failed for a minute, and is dropped. */
  readonly onGivenUp: () => void;
}

/** Does one task after the other. One that fails is repeated once a second, and all later ones wait for it. */
export class TaskQueue {
  readonly #dependencies: TaskQueueDependencies;
  readonly #turns = new TurnQueue();
  /** Tasks of former rounds are void. */
  #round = 0;

  constructor(dependencies: TaskQueueDependencies) {
    this.#dependencies = dependencies;
  }

  add(task: Task): void {
    const round = this.#round;
    void this.#turns.run(async () => {
      if (round === this.#round) await this.#persistently(task);
    });
  }

  /** Drops all that waits. */
  clear(): void {
    this.#round += 1;
  }

  /** Resolves when all that was added so far is done. */
  settled(): Promise<void> {
    return this.#turns.run(() => Promise.resolve());
  }

  async #persistently(task: Task): Promise<void> {
    const { clock, onTrouble, onGivenUp } = this.#dependencies;
    for (let tries = 1; ; tries++) {
      try {
        await task();
        return;
      } catch (error) {
        if (tries === 1) onTrouble(error);
        if (tries >= maxTries) {
          onGivenUp();
          return;
        }
        await new Promise<void>((resolve) => void clock.setTimeout(resolve, retryMs));
      }
    }
  }
}
