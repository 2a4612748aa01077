/** A pending timer. Cancelling it twice, or after its last call, does nothing. */
export interface Timer extends Disposable {
  cancel(): void;
}

/**
 * The program's only door to time. Callbacks run in their own turn, never inside the call that sets them. A callback
 * must not throw: nothing catches it.
 */
export interface Clock {
  /** Wall clock in milliseconds since the Unix epoch; may jump. For timestamps that people or peers read. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. For durations and deadlines. */
  monotonicMs(): number;
  /** Calls back once, no earlier than `delayMs` from now. Throws RangeError unless `delayMs` is finite and >= 0. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Calls back every `periodMs` until cancelled. Throws RangeError unless 0 < `periodMs` <= 2^31 - 1. */
  setInterval(callback: () => void, periodMs: number): Timer;
}

/** Node fires a timer at once when its delay does not fit 31 bits, so longer waits are made of several timers. */
const longestNodeDelayMs = 2 ** 31 - 1;

export function assertDelay(delayMs: number): void {
  if (!Number.isFinite(delayMs) || delayMs < 0) throw new RangeError(`delay out of range: ${delayMs}`);
}

export function assertPeriod(periodMs: number): void {
  if (!(periodMs > 0 && periodMs <= longestNodeDelayMs)) throw new RangeError(`period out of range: ${periodMs}`);
}

class SystemTimeout implements Timer {
  #handle: NodeJS.Timeout;

  constructor(callback: () => void, delayMs: number) {
    this.#handle = this.#arm(callback, delayMs);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  #arm(callback: () => void, delayMs: number): NodeJS.Timeout {
    const rest = delayMs - longestNodeDelayMs;
    if (rest <= 0) return setTimeout(callback, delayMs);
    return setTimeout(() => {
      this.#handle = this.#arm(callback, rest);
    }, longestNodeDelayMs);
  }
}

class SystemInterval implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(callback: () => void, periodMs: number) {
    this.#handle = setInterval(callback, periodMs);
  }

  cancel(): void {
    clearInterval(this.#handle);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}

/** The machine's clocks. A pending timer keeps the process alive until it fires or is cancelled. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    assertDelay(delayMs);
    return new SystemTimeout(callback, delayMs);
  }

  setInterval(callback: () => void, periodMs: number): Timer {
    assertPeriod(periodMs);
    return new SystemInterval(callback, periodMs);
  }
}

/** A wall-clock time for libraries that need a Date. */
export function dateAt(epochMs: number): Date {
  return new Date(epochMs);
}

/** A wall-clock time as peers and people read it: RFC 3339, UTC, milliseconds. */
export function rfc3339(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Milliseconds since the Unix epoch of an RFC 3339 time; NaN for anything else. */
export function parseRfc3339(text: string): number {
  return Date.parse(text);
}
