import { assertDelay, assertPeriod, type Clock, type Timer } from '../../../src/lib/clock.ts';

interface Pending {
  dueMs: number;
  /** null for a timer that fires once. */
  readonly periodMs: number | null;
  readonly callback: () => void;
}

/** A clock that moves only when the test says so, and fires what becomes due on the way, in order of time. */
export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>();
  readonly #startedAtMs: number;
  #elapsedMs = 0;

  constructor(startedAtMs = 1_700_000_000_000) {
    this.#startedAtMs = startedAtMs;
  }

  /** Timers that are set and have neither fired for the last time nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** How far away the next timer is; null with none set. */
  get nextTimerMs(): number | null {
    const next = this.#next();
    return next === null ? null : next.dueMs - this.#elapsedMs;
  }

  now(): number {
    return this.#startedAtMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    assertDelay(delayMs);
    return this.#add({ dueMs: this.#elapsedMs + delayMs, periodMs: null, callback });
  }

  setInterval(callback: () => void, periodMs: number): Timer {
    assertPeriod(periodMs);
    return this.#add({ dueMs: this.#elapsedMs + periodMs, periodMs, callback });
  }

  /** Moves on by `durationMs`. Timers that a callback sets fire too, when they become due within it. */
  advance(durationMs: number): void {
    const untilMs = this.#elapsedMs + durationMs;
    for (let next = this.#next(); next !== null && next.dueMs <= untilMs; next = this.#next()) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      if (next.periodMs === null) this.#pending.delete(next);
      else next.dueMs += next.periodMs;
      next.callback();
    }
    this.#elapsedMs = untilMs;
  }

  /** Time passes in which no timer fires, as when the process does not run. */
  stall(durationMs: number): void {
    this.#elapsedMs += durationMs;
  }

  /** Like `advance`, but lets promises settle before, between and after the timers. */
  async advanceAsync(durationMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + durationMs;
    await settle();
    for (let next = this.#next(); next !== null && next.dueMs <= untilMs; next = this.#next()) {
      // What was due while the clock stalled is due now.
      this.advance(Math.max(0, next.dueMs - this.#elapsedMs));
      await settle();
    }
    this.advance(untilMs - this.#elapsedMs);
    await settle();
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    const cancel = (): void => {
      this.#pending.delete(pending);
    };
    return { cancel, [Symbol.dispose]: cancel };
  }

  /** The earliest timer; of several for the same time, the one that was set first. */
  #next(): Pending | null {
    let next: Pending | null = null;
    for (const pending of this.#pending) {
      if (next === null || pending.dueMs < next.dueMs) next = pending;
    }
    return next;
  }
}

/** One turn of the event loop: every promise that can settle without I/O has done so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
