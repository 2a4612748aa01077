import type { StallWatch } from './stall-watch.ts';

export interface FreshIntakeSettings {
  /** What waited longer is late, once the process has fallen behind for `behindMs`. */
  readonly maxAgeMs: number;
  /** Standing still for less is what a busy machine does all the time: what waited is passed on. */
  readonly behindMs: number;
  /**
   * As many items as one turn of the event loop reads from a socket at most (libuv: 32); fewer mean that it is empty.
   */
  readonly batch: number;
}

export interface FreshIntakeDependencies<Item> {
  readonly clock: { monotonicMs(): number };
  readonly stalls: Pick<StallWatch, 'waitedMs'>;
  /** Calls back when the reads of this turn are done (setImmediate). */
  readonly afterReads: (callback: () => void) => void;
  /** Must not throw. */
  readonly onFresh: (item: Item) => void;
  /** It waited too long in the socket. Must not throw. */
  readonly onLate: (item: Item) => void;
}

/**
 * Separates fresh items of a socket from those that waited too long in the kernel, without arrival times. While the
 * process keeps up, everything is fresh. It does not keep up when it stood still, or when full batches came for longer
 * than `behindMs`. Then the socket is emptied first. Its items count as spread evenly over the time since the process
 * fell behind, and those of the last `maxAgeMs` are fresh.
 */
export class FreshIntake<Item> {
  readonly #settings: FreshIntakeSettings;
  readonly #dependencies: FreshIntakeDependencies<Item>;
  #turnPlanned = false;
  #inTurn = 0;
  /** When the first item of this turn was read. */
  #turnAtMs = 0;
  /** Since when every turn has brought a full batch; null when the last one did not. */
  #behindSinceMs: number | null = null;
  /** Set while the socket is emptied: what was in it, and when the first of it may have come. */
  #backlog: { readonly items: Item[]; readonly sinceMs: number } | null = null;

  constructor(settings: FreshIntakeSettings, dependencies: FreshIntakeDependencies<Item>) {
    this.#settings = settings;
    this.#dependencies = dependencies;
  }

  take(item: Item): void {
    const { afterReads, clock, onFresh, stalls } = this.#dependencies;
    this.#inTurn += 1;
    const nowMs = clock.monotonicMs();
    if (this.#turnPlanned) {
      // The process stood still between two reads: the rest of the turn came meanwhile.
      if (nowMs - this.#turnAtMs > this.#settings.behindMs) this.#backlog ??= { items: [], sinceMs: this.#turnAtMs };
    } else {
      this.#turnPlanned = true;
      this.#turnAtMs = nowMs;
      const waitedMs = Math.max(stalls.waitedMs(nowMs), nowMs - (this.#behindSinceMs ?? nowMs));
      if (waitedMs > this.#settings.behindMs) this.#backlog ??= { items: [], sinceMs: nowMs - waitedMs };
      afterReads(() => this.#onTurn());
    }
    if (this.#backlog === null) onFresh(item);
    else this.#backlog.items.push(item);
  }

  #onTurn(): void {
    const isFull = this.#inTurn >= this.#settings.batch;
    this.#turnPlanned = false;
    this.#inTurn = 0;
    if (isFull) {
      this.#behindSinceMs ??= this.#dependencies.clock.monotonicMs();
      return;
    }
    this.#behindSinceMs = null;
    if (this.#backlog !== null) this.#settle(this.#backlog);
    this.#backlog = null;
  }

  #settle({ items, sinceMs }: { readonly items: readonly Item[]; readonly sinceMs: number }): void {
    const { clock, onFresh, onLate } = this.#dependencies;
    const spanMs = Math.max(1, clock.monotonicMs() - sinceMs);
    const fresh = Math.floor((items.length * Math.min(this.#settings.maxAgeMs, spanMs)) / spanMs);
    const late = items.length - fresh;
    items.forEach((item, index) => (index < late ? onLate(item) : onFresh(item)));
  }
}
