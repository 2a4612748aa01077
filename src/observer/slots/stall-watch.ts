import type { Slot } from './slot.ts';

/**
 * After so many thresholds of silence a full queue is no excuse: an agent beats several times a threshold, and so many
 * beats in a row are not refused by chance.
 */
const patience = 4;

/** Finds silent agents. Reports none for a time in which the observer itself did not run. */
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

  /** A new threshold holds from now on, also for agents that are silent already. */
  reconfigure(thresholdNs: number): void {
    this.#thresholdNs = thresholdNs;
  }

  /**
   * To be called several times a threshold. Returns whether the observer itself did not run for more than half of it. A
   * full queue may have refused beats meanwhile, so no agent is reported for one further threshold.
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

  /** The earliest time at which an agent can be due; null while none can. */
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
