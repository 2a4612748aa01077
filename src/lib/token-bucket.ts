import type { Clock } from './clock.ts';

export interface TokenBucketSettings {
  /** Tokens that come back per second. */
  readonly ratePerSecond: number;
  /** Tokens at most, and at the start: the largest burst. */
  readonly burst: number;
}

/** Limits a rate while letting short bursts through. Refills from the clock on demand, so it holds no timer. */
export class TokenBucket {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #settings: TokenBucketSettings;
  #tokens: number;
  #refilledAtMs: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>, settings: TokenBucketSettings) {
    if (!(settings.ratePerSecond > 0 && settings.burst > 0)) {
      throw new RangeError('token bucket needs a rate and a burst above 0');
    }
    this.#clock = clock;
    this.#settings = settings;
    this.#tokens = settings.burst;
    this.#refilledAtMs = clock.monotonicMs();
  }

  /** Takes `count` tokens and returns true, or takes none and returns false. */
  tryTake(count = 1): boolean {
    this.#refill();
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Whether the bucket is full, so that forgetting it and making a new one later changes nothing. */
  isFull(): boolean {
    this.#refill();
    return this.#tokens >= this.#settings.burst;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    const gained = ((nowMs - this.#refilledAtMs) / 1000) * this.#settings.ratePerSecond;
    this.#tokens = Math.min(this.#settings.burst, this.#tokens + gained);
    this.#refilledAtMs = nowMs;
  }
}
