import type { NodeEvent } from '../../protocol/node/node-event.ts';

/** An operational event without its time. */
export type Notice = Omit<NodeEvent, 'timestamp' | 'flowId'>;

/** Lets `most` notices of one kind through in a window, and counts the others. */
export class NoticeLimit {
  readonly #most: number;
  readonly #windowNs: number;
  #openedNs: number | null = null;
  #passed = 0;
  #held: { notice: Notice; count: number } | null = null;

  constructor(most: number, windowNs: number) {
    this.#most = most;
    this.#windowNs = windowNs;
  }

  passes(notice: Notice, nowNs: number): boolean {
    if (this.#openedNs === null || (this.#held === null && nowNs - this.#openedNs >= this.#windowNs)) {
      this.#openedNs = nowNs;
      this.#passed = 0;
    }
    if (this.#passed < this.#most) {
      this.#passed += 1;
      return true;
    }
    this.#held = { notice, count: (this.#held?.count ?? 0) + 1 };
    return false;
  }

  /** What was held back in a window that is over, with the last of it; null while there is nothing to say. */
  sweep(nowNs: number): { readonly notice: Notice; readonly count: number } | null {
    if (this.#held === null || this.#openedNs === null || nowNs - this.#openedNs < this.#windowNs) return null;
    const held = this.#held;
    this.#held = null;
    this.#openedNs = nowNs;
    // The summary itself takes the place of the first.
    this.#passed = this.#most;
    return held;
  }
}
