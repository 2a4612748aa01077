import type { Clock, Timer } from '../lib/clock.ts';

const mostAtOnce = 200;
/** A peer that takes longer is slow; it delays no other one. */
const slowMs = 1_000;

/**
 * Begins TLS handshakes in the order of their connections, so many at a time. When a whole fleet comes back at once,
 * all handshakes together would share the CPU until every peer has given up. A few at a time succeed one after the
 * other.
 */
export class HandshakeQueue {
  readonly #clock: Clock;
  /** Begun and not over, with the timer after which they do not count any more. */
  readonly #begun = new Map<string, Timer>();
  /** In the order in which they came. */
  readonly #waiting = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `begin` now or later; never after `leave`. Names are those of the connections that there are. */
  enter(name: string, begin: () => void): void {
    this.#waiting.set(name, begin);
    this.#next();
  }

  /** The handshake is over, or the connection is. */
  leave(name: string): void {
    this.#waiting.delete(name);
    this.#begun.get(name)?.cancel();
    this.#begun.delete(name);
    this.#next();
  }

  #next(): void {
    for (const [name, begin] of this.#waiting) {
      if (this.#begun.size >= mostAtOnce) return;
      this.#waiting.delete(name);
      this.#begun.set(
        name,
        this.#clock.setTimeout(() => this.leave(name), slowMs),
      );
      begin();
    }
  }
}
