import type { Clock } from '../../lib/clock.ts';

/** With fewer the collector has little to find. */
const fewest = 500;
const quietMs = 5_000;

/**
 * A fleet that comes back leaves the garbage of its handshakes, which a program with much to do does not collect until
 * its heap has grown by a third. So that is done once, when nobody has come for a while. Call `tick` once a second.
 */
export class HandshakeGarbage {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #collect: () => Promise<void>;
  #joined = 0;
  #lastMs = 0;

  /** `collect` does not reject. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, collect: () => Promise<void>) {
    this.#clock = clock;
    this.#collect = collect;
  }

  joined(): void {
    this.#joined += 1;
    this.#lastMs = this.#clock.monotonicMs();
  }

  tick(): void {
    if (this.#joined < fewest || this.#clock.monotonicMs() - this.#lastMs < quietMs) return;
    this.#joined = 0;
    void this.#collect();
  }
}
