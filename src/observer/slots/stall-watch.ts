import type { Slot } from './slot.ts';

/**
 * Thresholds of silence after which a full queue excuses nobody any more: of an agent that beats several times a
 * threshold, so many beats in a row are not refused by chance.
 */
const patience = 4;

/** Finds who is silent, and keeps the observer from accusing others while it was not looking itself. */
export class StallWatch {
  readonly #slots: () => readonly Slot[];
  #thresholdNs: number;
  #lookedAtNs: number;
  /** No Stall before this time. */
  #graceUntilNs = 0;
  /** When the socket's queue was last seen full. */
  #fullNs = Number.NEGATIVE_INFINITY;

  constructor(slots: () => readonly Slot[], thresholdNs: number, nowNs: number) {
    this.#slots = slots;
    this.#thresholdNs = thresholdNs;
    this.#lookedAtNs = nowNs;
  }

  /** A new threshold holds from now on, also for whoever is silent already. */
  reconfigure(thresholdNs: number): void {
    this.#thresholdNs = thresholdNs;
  }

  /**
   * To be called several times a threshold. Returns whether the observer itself did not run for more than half of it:
   * a full queue may have refused beats meanwhile, so that nobody is accused for one further threshold.
   */
  look(nowNs: number): boolean {
    const paused = nowNs - this.#lookedAtNs > this.#thresholdNs / 2;
    this.#lookedAtNs = nowNs;
    if (paused) this.excuse(nowNs);
    return paused;
  }

  /** Beats may have been lost on the observer's side. */
  excuse(nowNs: number): void {
    this.#graceUntilNs = Math.max(this.#graceUntilNs, nowNs + this.#thresholdNs);
  }

  /**
   * The socket's queue was full, so that the kernel may have refused beats. Whoever has been silent since before that
   * is accused only after a threshold without a full queue, or after `patience` thresholds of silence.
   */
  queueWasFull(nowNs: number): void {
    this.#fullNs = nowNs;
  }

  /** Those that were silent for the threshold at `nowNs` and not reported yet; all earlier beats have been taken in. */
  due(nowNs: number): readonly Slot[] {
    if (nowNs < this.#graceUntilNs) return [];
    return this.#slots().filter((slot) => !slot.stalled && nowNs >= this.#dueNs(slot));
  }

  /** The earliest time at which somebody can be due; null while nobody can. */
  nextDueNs(): number | null {
    let earliest: number | null = null;
    for (const slot of this.#slots()) {
      if (slot.stalled) continue;
      const dueNs = this.#dueNs(slot);
      if (earliest === null || dueNs < earliest) earliest = dueNs;
    }
    return earliest === null ? null : Math.max(earliest, this.#graceUntilNs);
  }

  #dueNs({ lastNs }: Slot): number {
    const dueNs = lastNs + this.#thresholdNs;
    if (this.#fullNs < lastNs) return dueNs;
    return Math.max(dueNs, Math.min(this.#fullNs + this.#thresholdNs, lastNs + patience * this.#thresholdNs));
  }
}
