import { SystemClock, type Clock, type Timer } from '../../../src/lib/clock.ts';

/** Real time, lived `factor` times as fast: long waits of a program become short ones in a test over real sockets. */
export class ScaledClock implements Clock {
  readonly #clock = new SystemClock();
  readonly #factor: number;

  constructor(factor: number) {
    this.#factor = factor;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs() * this.#factor;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    return this.#clock.setTimeout(callback, delayMs / this.#factor);
  }

  setInterval(callback: () => void, periodMs: number): Timer {
    return this.#clock.setInterval(callback, periodMs / this.#factor);
  }
}
