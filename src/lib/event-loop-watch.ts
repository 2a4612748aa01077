import type { Clock, Timer } from './clock.ts';

/** How long past its time a turn of the event loop came. */
export interface LoopLag {
  readonly lastMs: number;
  /** Over the last one to two windows, without the first 3 s after the start. */
  readonly worstMs: number;
}

const periodMs = 250;
const windowTurns = 40;
/** A turn that takes longer stalls every tunnel for as long. */
const stallMs = 1000;
/** A program that starts loads and compiles its code: no sign of a machine that is short of CPU. */
const settlingMs = 3000;

/**
 * Measures whether the event loop turns, by how late a timer comes. Memory of a stall lasts 10 to 20 s, so that a check
 * every few seconds sees it.
 */
export class EventLoopWatch {
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #dueMs = 0;
  #turns = 0;
  #settledMs = 0;
  #lastMs = 0;
  #worstNowMs = 0;
  #worstBeforeMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Idempotent. */
  start(): void {
    if (this.#timer !== null) return;
    const nowMs = this.#clock.monotonicMs();
    this.#dueMs = nowMs + periodMs;
    this.#settledMs = nowMs + settlingMs;
    this.#timer = this.#clock.setInterval(() => this.#turn(), periodMs);
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  lag(): LoopLag {
    return { lastMs: this.#lastMs, worstMs: Math.max(this.#worstNowMs, this.#worstBeforeMs) };
  }

  /** That it stood still lately, for people; null when it did not. */
  stall(): string | null {
    const { worstMs } = this.lag();
    if (worstMs < stallMs) return null;
    return `the event loop stood still for ${(worstMs / 1000).toFixed(1)} s within the last 20 s`;
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#lastMs = Math.max(0, nowMs - this.#dueMs);
    this.#dueMs = nowMs + periodMs;
    if (nowMs < this.#settledMs) return;
    this.#turns += 1;
    this.#worstNowMs = Math.max(this.#worstNowMs, this.#lastMs);
    if (this.#turns % windowTurns !== 0) return;
    this.#worstBeforeMs = this.#worstNowMs;
    this.#worstNowMs = 0;
  }
}
