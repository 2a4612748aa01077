import type { Clock, Timer } from '../../lib/clock.ts';

/** A state machine that has to be called at times. */
export interface Pulsed {
  /** When; Infinity for never. */
  readonly nextUs: number;
  tick(nowUs: number): void;
}

/** Deadlines within so long of each other share a wake-up. A delivery may be late by it where no packet comes. */
const grainMs = 4;

/** One timer for all state machines of a worker. */
export class Pulse {
  readonly #clock: Clock;
  readonly #pulsed = new Set<Pulsed>();
  #timer: Timer | null = null;
  #armedUs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Monotonic, µs. */
  get nowUs(): number {
    return this.#clock.monotonicMs() * 1000;
  }

  add(pulsed: Pulsed): void {
    this.#pulsed.add(pulsed);
    this.poke(pulsed.nextUs);
  }

  remove(pulsed: Pulsed): void {
    this.#pulsed.delete(pulsed);
  }

  /** A deadline has come up; cheap where an earlier one is armed. */
  poke(nextUs: number): void {
    if (nextUs >= this.#armedUs) return;
    const delayMs = Math.max(0, (nextUs - this.nowUs) / 1000);
    const rounded = Math.ceil(delayMs / grainMs) * grainMs;
    this.#timer?.cancel();
    this.#armedUs = this.nowUs + rounded * 1000;
    this.#timer = this.#clock.setTimeout(() => this.#fire(), rounded);
  }

  #fire(): void {
    this.#timer = null;
    this.#armedUs = Number.POSITIVE_INFINITY;
    const { nowUs } = this;
    let nextUs = Number.POSITIVE_INFINITY;
    for (const pulsed of this.#pulsed) {
      if (pulsed.nextUs <= nowUs) pulsed.tick(nowUs);
      nextUs = Math.min(nextUs, pulsed.nextUs);
    }
    if (nextUs !== Number.POSITIVE_INFINITY) this.poke(Math.max(nextUs, nowUs + 1));
  }
}
