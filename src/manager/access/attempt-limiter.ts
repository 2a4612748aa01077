const windowMs = 60_000;
const mostKeys = 10_000;

/**
 * Allows a number of attempts in any 60 s for each key. Time is monotonic milliseconds, handed in. Forgets the oldest
 * keys when there are too many.
 */
export class AttemptLimiter {
  readonly #limit: number;
  readonly #attempts = new Map<string, number[]>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Milliseconds until the next attempt with any of these keys; 0 when it may be made now. */
  waitMs(keys: readonly string[], nowMs: number): number {
    const waits = keys.map((key) => {
      const recent = this.#recent(key, nowMs);
      const oldest = recent.at(-this.#limit);
      return oldest === undefined ? 0 : oldest + windowMs - nowMs;
    });
    return Math.max(0, ...waits);
  }

  record(keys: readonly string[], nowMs: number): void {
    for (const key of keys) {
      const recent = [...this.#recent(key, nowMs), nowMs];
      this.#attempts.delete(key);
      this.#attempts.set(key, recent);
    }
    for (const key of this.#attempts.keys()) {
      if (this.#attempts.size <= mostKeys) break;
      this.#attempts.delete(key);
    }
  }

  /** An attempt that `record` counted was none: it succeeded. */
  withdraw(key: string, atMs: number): void {
    const attempts = this.#attempts.get(key) ?? [];
    const index = attempts.indexOf(atMs);
    if (index >= 0) this.#attempts.set(key, attempts.toSpliced(index, 1));
  }

  forget(key: string): void {
    this.#attempts.delete(key);
  }

  #recent(key: string, nowMs: number): number[] {
    return (this.#attempts.get(key) ?? []).filter((at) => at > nowMs - windowMs);
  }
}
