import type { Clock, Timer } from '../../../src/lib/clock.ts';

interface Waiting {
  readonly atMs: number;
  readonly order: number;
  readonly deliver: () => void;
}

/** Calls back at times of a monotonic clock, in their order, those of one time in the order of their coming; to a millisecond. */
export class DelayLine {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'setTimeout'>;
  /** A binary heap, the next one first. */
  readonly #heap: Waiting[] = [];
  #order = 0;
  #timer: Timer | null = null;
  #timerAtMs = Infinity;

  constructor(clock: Pick<Clock, 'monotonicMs' | 'setTimeout'>) {
    this.#clock = clock;
  }

  add(atMs: number, deliver: () => void): void {
    const heap = this.#heap;
    const added = { atMs, order: this.#order++, deliver };
    let index = heap.push(added) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(added, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = added;
    if (index === 0) this.#plan(atMs);
  }

  /** What waits is lost. */
  stop(): void {
    this.#heap.length = 0;
    this.#timer?.cancel();
  }

  #plan(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    const delayMs = Math.max(1, Math.ceil(atMs - this.#clock.monotonicMs()));
    this.#timer = this.#clock.setTimeout(() => this.#deliverDue(), delayMs);
  }

  #deliverDue(): void {
    this.#timerAtMs = Infinity;
    const nowMs = this.#clock.monotonicMs();
    let next = this.#heap[0];
    while (next !== undefined && next.atMs <= nowMs) {
      this.#removeFirst();
      next.deliver();
      next = this.#heap[0];
    }
    if (next !== undefined) this.#plan(next.atMs);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const smaller = firstOf(heap, left, left + 1);
      const below = heap[smaller];
      if (below === undefined || !isBefore(below, moved)) break;
      heap[index] = below;
      index = smaller;
    }
    heap[index] = moved;
  }
}

function firstOf(heap: readonly Waiting[], left: number, right: number): number {
  const [a, b] = [heap[left], heap[right]];
  return a !== undefined && b !== undefined && isBefore(b, a) ? right : left;
}

function isBefore(a: Waiting, b: Waiting): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
