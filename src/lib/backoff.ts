import type { Random } from './random.ts';

export interface BackoffSettings {
  readonly initialMs: number;
  readonly maxMs: number;
  /** The share of each delay that is random, 0 to 1: 0.2 spreads a delay over ±20 %. */
  readonly jitterRatio: number;
}

/** How long to wait before each next try: doubling from `initialMs`, never above `maxMs`, spread so that peers part. */
export class Backoff {
  readonly #random: Random;
  readonly #settings: BackoffSettings;
  #nextBaseMs: number;

  constructor(random: Random, settings: BackoffSettings) {
    const { initialMs, maxMs, jitterRatio } = settings;
    if (!(initialMs > 0 && maxMs >= initialMs)) throw new RangeError('backoff needs 0 < initialMs <= maxMs');
    if (!(jitterRatio >= 0 && jitterRatio <= 1)) throw new RangeError('backoff needs a jitterRatio from 0 to 1');
    this.#random = random;
    this.#settings = settings;
    this.#nextBaseMs = initialMs;
  }

  /** The delay before the next try, in whole milliseconds; each call counts as one failed try. */
  nextDelayMs(): number {
    const { maxMs, jitterRatio } = this.#settings;
    const baseMs = this.#nextBaseMs;
    this.#nextBaseMs = Math.min(maxMs, baseMs * 2);
    const spread = 1 + jitterRatio * (2 * this.#random.float() - 1);
    return Math.round(Math.min(maxMs, baseMs * spread));
  }

  /** Call after a success: the next failure waits `initialMs` again. */
  reset(): void {
    this.#nextBaseMs = this.#settings.initialMs;
  }
}
