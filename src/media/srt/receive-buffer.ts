import type { SequenceRange } from './packet.ts';
import { sequenceAdd, sequenceDistance } from './sequence.ts';

export type Place =
  | 'free'
  /** Its time is over, or it is there already. */
  | 'belated'
  /** So far ahead that the buffer has no room for it. */
  | 'overflow';

/** Stands for a packet that will not be delivered: asked to be dropped, or not decrypted. */
export const nothing: Buffer = Buffer.alloc(0);

/**
 * The packets between what was delivered and what was seen last, with holes where some are missing. A ring: the
 * slot of a packet is its sequence number modulo the capacity, a power of two.
 */
export class ReceiveBuffer {
  readonly #slots: (Buffer | null)[];
  readonly #timestamps: Float64Array;
  /** When the packet missing at a slot was last reported, in ms. */
  readonly #reportedMs: Float64Array;
  readonly #mask: number;
  #head: number;
  #next: number;
  #held = 0;

  constructor(capacity: number, initialSequence: number) {
    const size = 2 ** Math.ceil(Math.log2(capacity));
    this.#slots = new Array<Buffer | null>(size).fill(null);
    this.#timestamps = new Float64Array(size);
    this.#reportedMs = new Float64Array(size);
    this.#mask = size - 1;
    this.#head = initialSequence;
    this.#next = initialSequence;
  }

  /** The next packet to deliver. */
  get head(): number {
    return this.#head;
  }

  /** One after the latest packet that was seen. */
  get next(): number {
    return this.#next;
  }

  /** Packets from `head` up to `next`, there or missing. */
  get span(): number {
    return sequenceDistance(this.#next, this.#head);
  }

  get held(): number {
    return this.#held;
  }

  get missing(): number {
    return this.span - this.#held;
  }

  get free(): number {
    return this.#slots.length - this.span;
  }

  place(sequence: number): Place {
    const ahead = sequenceDistance(sequence, this.#head);
    if (ahead < 0) return 'belated';
    if (ahead >= this.#slots.length) return 'overflow';
    return this.has(sequence) ? 'belated' : 'free';
  }

  /** Puts a packet in its free place; beyond `next` it leaves a hole before it. `timestamp` is the extended one. */
  insert(sequence: number, packet: Buffer, timestamp: number): void {
    const slot = sequence & this.#mask;
    this.#slots[slot] = packet;
    this.#timestamps[slot] = timestamp;
    this.#held++;
    if (sequenceDistance(sequence, this.#next) >= 0) this.#next = sequenceAdd(sequence, 1);
  }

  has(sequence: number): boolean {
    return this.#slots[sequence & this.#mask] !== null;
  }

  /** Extended timestamp of a packet that is there. */
  timestampOf(sequence: number): number {
    return this.#timestamps[sequence & this.#mask] ?? 0;
  }

  /** The first packet from `head` on that is there; null when none is. */
  firstHeld(): number | null {
    if (this.#held === 0) return null;
    let sequence = this.#head;
    while (!this.has(sequence)) sequence = sequenceAdd(sequence, 1);
    return sequence;
  }

  /** The first packet from `from` on that is missing; `next` when none is. */
  firstMissing(from: number): number {
    let sequence = from;
    while (sequence !== this.#next && this.has(sequence)) sequence = sequenceAdd(sequence, 1);
    return sequence;
  }

  /** Takes the packet at `head`, which is there, and moves on. */
  take(): Buffer {
    const slot = this.#head & this.#mask;
    const packet = this.#slots[slot] ?? nothing;
    this.#forget(slot);
    this.#head = sequenceAdd(this.#head, 1);
    return packet;
  }

  /** Gives up what is missing before `sequence`, the first that is there. Returns how many. */
  skipTo(sequence: number): number {
    const skipped = sequenceDistance(sequence, this.#head);
    for (let at = this.#head; at !== sequence; at = sequenceAdd(at, 1)) this.#reportedMs[at & this.#mask] = 0;
    this.#head = sequence;
    return skipped;
  }

  /** Starts anew at `sequence`: the peer has moved on farther than the buffer reaches. Nothing is held. */
  restartAt(sequence: number): void {
    this.#reportedMs.fill(0);
    this.#head = sequence;
    this.#next = sequence;
  }

  /** Fills the holes of a range with `nothing`. Returns how many there were. */
  dropRange({ first, last }: SequenceRange): number {
    const from = Math.max(0, sequenceDistance(first, this.#head));
    const to = Math.min(this.span - 1, sequenceDistance(last, this.#head));
    let dropped = 0;
    for (let index = from; index <= to; index++) {
      const at = sequenceAdd(this.#head, index);
      if (this.has(at)) continue;
      this.insert(at, nothing, Number.NEGATIVE_INFINITY);
      dropped++;
    }
    return dropped;
  }

  /**
   * What is missing before `until` and was not reported within the last `againMs`; counts as reported now. The times
   * are above 0.
   */
  report(nowMs: number, againMs: number, from: number, until: number): SequenceRange[] {
    const ranges: SequenceRange[] = [];
    let first: number | null = null;
    let at = from;
    for (; at !== until; at = sequenceAdd(at, 1)) {
      const slot = at & this.#mask;
      const reported = this.#reportedMs[slot] ?? 0;
      if (this.#slots[slot] === null && (reported === 0 || nowMs - reported >= againMs)) {
        this.#reportedMs[slot] = nowMs;
        first ??= at;
      } else if (first !== null) {
        ranges.push({ first, last: sequenceAdd(at, -1) });
        first = null;
      }
    }
    if (first !== null) ranges.push({ first, last: sequenceAdd(at, -1) });
    return ranges;
  }

  #forget(slot: number): void {
    this.#slots[slot] = null;
    this.#reportedMs[slot] = 0;
    this.#held--;
  }
}
