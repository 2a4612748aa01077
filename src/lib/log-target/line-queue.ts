import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { settledWithin } from '../settled-within.ts';
import type { LogTarget } from './log-target.ts';

/** Lines that wait; a target that is slow or away must not cost more memory than this. */
const capacity = 2048;
const flushMs = 2000;
const closeMs = 1000;

/** Takes lines at any time and never blocks: what does not fit, or cannot be handed over, is dropped and counted. */
export class LineQueue {
  readonly #target: LogTarget;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting: string[] = [];
  #dropped = 0;
  #failing = false;
  #pumping: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  constructor(target: LogTarget, clock: Clock, logger: Logger) {
    this.#target = target;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Lines that did not get out; never falls. */
  get dropped(): number {
    return this.#dropped;
  }

  push(line: string): void {
    if (this.#stopped !== null || this.#waiting.length >= capacity) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#pumping ??= this.#pump();
  }

  /** Hands over what waits, for at most 2 s, and closes the target, within another. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#pumping !== null) await settledWithin(this.#clock, this.#pumping, flushMs);
    this.#dropped += this.#waiting.splice(0).length;
    await settledWithin(this.#clock, this.#target.close(), closeMs);
  }

  async #pump(): Promise<void> {
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      try {
        await this.#target.write(line);
        if (this.#failing) this.#logger.info({ dropped: this.#dropped }, 'structured log goes on');
        this.#failing = false;
      } catch (error) {
        this.#dropped++;
        // Once, not for each line: the log must not be flooded with the failure of the other log.
        if (!this.#failing) this.#logger.warn({ error }, 'structured log cannot be written');
        this.#failing = true;
      }
    }
    this.#pumping = null;
  }
}
