import { Backoff } from '../../lib/backoff.ts';
import type { Random } from '../../lib/random.ts';

/** How an attempt ended: `refused` is an auth_error; `lost` came after authentication; `failed` is everything else. */
export type AttemptEnd = 'refused' | 'failed' | 'lost';

export interface Candidate {
  readonly urlIndex: number;
  /** Which of the node's secrets to offer: 0 is the newest. */
  readonly secretIndex: number;
}

export interface NextAttempt {
  readonly delayMs: number;
  /** The manager at one address has now refused every secret that the node holds. */
  readonly allRefused: boolean;
}

const reconnectDelayMs = 5_000;
const maxReconnectDelayMs = 60_000;
/** Short, because an older secret that the manager still knows is a working node one moment later. */
const nextSecretDelayMs = 1_000;
const reconnectJitter = 0.5;

/**
 * Which address and which secret come next, and when (docs/protocol/manager.md §1, §5). Each address goes through all
 * secrets by itself: of several managers one may lag behind and know only an older secret.
 */
export class ReconnectPlan {
  readonly #secretIndexes: number[];
  readonly #steady: Backoff;
  readonly #nextSecret: Backoff;
  readonly #refused: Backoff;
  #urlIndex = 0;

  constructor(random: Random, urlCount: number) {
    this.#secretIndexes = Array<number>(urlCount).fill(0);
    const limits = { maxMs: maxReconnectDelayMs, jitterRatio: reconnectJitter };
    this.#steady = new Backoff(random, { initialMs: reconnectDelayMs, ...limits });
    this.#nextSecret = new Backoff(random, { initialMs: nextSecretDelayMs, ...limits });
    this.#refused = new Backoff(random, { initialMs: reconnectDelayMs, ...limits });
  }

  current(): Candidate {
    return { urlIndex: this.#urlIndex, secretIndex: this.#secretIndexes[this.#urlIndex] ?? 0 };
  }

  /** Authenticated: whichever secret it was is now the only one. */
  accepted(): void {
    this.#secretIndexes.fill(0);
    this.#refused.reset();
  }

  /** `secretCount` is the number of secrets that the node holds now. */
  next(end: AttemptEnd, secretCount: number): NextAttempt {
    if (end !== 'refused') {
      this.#rotateUrl();
      return { delayMs: firstDelay(this.#steady), allRefused: false };
    }
    const nextIndex = this.current().secretIndex + 1;
    if (nextIndex < secretCount) {
      this.#secretIndexes[this.#urlIndex] = nextIndex;
      return { delayMs: firstDelay(this.#nextSecret), allRefused: false };
    }
    this.#secretIndexes[this.#urlIndex] = 0;
    this.#rotateUrl();
    return { delayMs: this.#refused.nextDelayMs(), allRefused: true };
  }

  #rotateUrl(): void {
    this.#urlIndex = (this.#urlIndex + 1) % this.#secretIndexes.length;
  }
}

function firstDelay(backoff: Backoff): number {
  backoff.reset();
  return backoff.nextDelayMs();
}
