import type { Clock, Timer } from './clock.ts';

const periodMs = 50;
/** A timer this late means that the process stood still, and not that a turn was busy. */
const slackMs = 50;

/**
 * Measures how long the process stood still before the current turn: stopped, starved, or in one long turn. Node gives
 * no arrival times, so sockets take this as the greatest age of the data that they read.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #afterReads: (callback: () => void) => void;
  #users = 0;
  #timer: Timer | null = null;
  #turnedAtMs = 0;
  /** Of the stall that a timer has just found; the reads of the same turn follow it. */
  #justEndedMs = 0;

  /** `afterReads` calls back when the reads of this turn of the event loop are done (setImmediate). */
  constructor(clock: Clock, afterReads: (callback: () => void) => void) {
    this.#clock = clock;
    this.#afterReads = afterReads;
  }

  /** Watches until what it returns is disposed of. */
  use(): Disposable {
    if (this.#users++ === 0) {
      this.#turnedAtMs = this.#clock.monotonicMs();
      this.#timer = this.#clock.setInterval(() => this.#onTurn(), periodMs);
    }
    let inUse = true;
    return {
      [Symbol.dispose]: () => {
        if (inUse && --this.#users === 0) this.#timer?.cancel();
        inUse = false;
      },
    };
  }

  /** The longest that data read now can have waited while the process stood still; 0 when it did not. */
  waitedMs(nowMs: number): number {
    const sinceMs = nowMs - this.#turnedAtMs;
    return Math.max(this.#justEndedMs, sinceMs > periodMs + slackMs ? sinceMs : 0);
  }

  #onTurn(): void {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = nowMs - this.#turnedAtMs;
    this.#turnedAtMs = nowMs;
    if (sinceMs <= periodMs + slackMs) return;
    this.#justEndedMs = sinceMs;
    this.#afterReads(() => (this.#justEndedMs = 0));
  }
}
