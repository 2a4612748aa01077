/** A stream of beats is known by so long a time of it; a few that come at one instant are none. */
const windowNs = 20e6;
/** A window that took longer had a pause in it. */
const longestWindowNs = 1.5 * windowNs;
/** With fewer, hardly more than one beat would be gathered. */
const leastPerMs = 0.5;
const shortestRestMs = 2;
/** Longer ones save little more. A Stall ends a rest. */
const longestRestMs = 10;
/** The part of the socket's queue that may fill in the shortest rest. A queue of 11 then overflows once in 30 000. */
const shortRestShare = 1 / 4;
/** The part that may fill in a longer one. */
const longRestShare = 1 / 8;
/** A flood begins with so many beats, and ends with half of them. */
const floodPerMs = 20;
/** Agents that beat at one instant fill the queue while the thread rests, and a busy machine wakes it late. */
const awakeNs = 10e9;

/**
 * How the receiving thread waits, so that batches are large: to be woken costs ten times as much as to receive a beat.
 * Pure: time comes with the batches.
 */
export class ReceivePace {
  readonly #queue: number;
  /** With more, the shortest rest would fill too much of the queue. */
  readonly #mostPerMs: number;
  #windowStartNs = Number.NEGATIVE_INFINITY;
  #counted = 0;
  #perMs = 0;
  #awakeUntilNs = 0;
  #inFlood = false;

  /** `queue`: datagrams that wait in the socket at most. */
  constructor(queue: number) {
    this.#queue = queue;
    this.#mostPerMs = (queue * shortRestShare) / shortestRestMs;
  }

  /** The thread need not interrupt those who send: they fill the queue, and then it has its turn. */
  get inFlood(): boolean {
    return this.#inFlood;
  }

  /** A batch of `count` was received at `nowNs`; `full` says that the socket's queue was. */
  note(count: number, full: boolean, nowNs: number): void {
    if (full) this.#awakeUntilNs = nowNs + awakeNs;
    this.#counted += count;
    const sinceNs = nowNs - this.#windowStartNs;
    if (sinceNs < windowNs) return;
    this.#perMs = sinceNs > longestWindowNs ? 0 : (this.#counted * 1e6) / sinceNs;
    this.#inFlood = this.#perMs >= (this.#inFlood ? floodPerMs / 2 : floodPerMs);
    this.#counted = 0;
    this.#windowStartNs = nowNs;
  }

  /** Milliseconds to rest now, for the next batch to be larger; 0 where that saves nothing or costs beats. */
  restMs(nowNs: number): number {
    const isSteady = this.#perMs >= leastPerMs && this.#perMs <= this.#mostPerMs && nowNs >= this.#awakeUntilNs;
    if (!isSteady || this.#inFlood) return 0;
    return Math.max(shortestRestMs, Math.min(longestRestMs, (this.#queue * longRestShare) / this.#perMs));
  }
}
