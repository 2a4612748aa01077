import { SystemClock } from '../../../src/lib/clock.ts';

/** The system's clock of some time ago, which `pass` moves on towards now: a past of minutes in no time. */
export class LateClock extends SystemClock {
  readonly #lateMs: number;
  #passedMs = 0;

  constructor(lateMs: number) {
    super();
    this.#lateMs = lateMs;
  }

  pass(ms: number): void {
    this.#passedMs += ms;
  }

  override now(): number {
    return super.now() - this.#lateMs + this.#passedMs;
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.#passedMs;
  }
}
