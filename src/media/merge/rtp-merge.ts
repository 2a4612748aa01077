import { MergeCounters } from './merge-counters.ts';

interface Held<Item> {
  readonly item: Item;
  readonly leg: 1 | 2;
}

/** A number farther off than this is another stream, not a gap. */
const jump = 4096;
/** A tick that is so much later than it was wanted shows that this end stood still. */
const stallUs = 20_000;

/**
 * Merges two legs that carry the same RTP stream (SMPTE ST 2022-7): by sequence number, in order, each once. A gap
 * waits for the other leg up to the window.
 */
export class RtpMerge<Item> {
  readonly counters = new MergeCounters();
  readonly #windowUs: number;
  readonly #emit: (nowUs: number, item: Item) => void;
  readonly #held = new Map<number, Held<Item>>();
  #ssrc: number | null = null;
  #seenUs = 0;
  /** The extended number that is due. */
  #next = 0;
  #gapSinceUs: number | null = null;
  /** Nothing missing is given up before. */
  #patientUntilUs = 0;
  /** The latest extended number of each leg. */
  #latest: Record<1 | 2, number | null> = { 1: null, 2: null };

  constructor(windowUs: number, emit: (nowUs: number, item: Item) => void) {
    this.#windowUs = windowUs;
    this.#emit = emit;
  }

  /** When `tick` has something to do. */
  get nextUs(): number {
    if (this.#gapSinceUs === null) return Number.POSITIVE_INFINITY;
    return Math.max(this.#gapSinceUs + this.#windowUs, this.#patientUntilUs);
  }

  push(nowUs: number, leg: 1 | 2, position: { readonly sequence: number; readonly ssrc: number }, item: Item): void {
    if (!this.#sameStream(nowUs, position)) return;
    const ahead = ((position.sequence - this.#next) << 16) >> 16;
    if (Math.abs(ahead) > jump) {
      this.#start(position);
      this.push(nowUs, leg, position, item);
      return;
    }
    const sequence = this.#next + ahead;
    this.#countMissing(leg, sequence);
    if (ahead < 0 || this.#held.has(sequence)) {
      this.counters.duplicates++;
      return;
    }
    if (ahead === 0 && this.#gapSinceUs !== null) this.counters.recovered++;
    this.#held.set(sequence, { item, leg });
    this.#drain(nowUs);
  }

  tick(nowUs: number): void {
    const lateUs = nowUs - this.nextUs;
    if (lateUs < 0) return;
    // What fills the gap may wait in the other leg's socket: it has as long to be read as this end stood still.
    if (lateUs > stallUs) {
      this.#patientUntilUs = nowUs + Math.min(lateUs, this.#windowUs);
      return;
    }
    const first = Math.min(...this.#held.keys());
    this.counters.lost += first - this.#next;
    this.#next = first;
    this.#drain(nowUs);
  }

  /**
   * A leg that ended handed on at once what was due within `earlyUs`. The other leg brings what is missing by then.
   */
  onLegEnded(nowUs: number, earlyUs: number): void {
    this.#patientUntilUs = Math.max(this.#patientUntilUs, nowUs + earlyUs);
  }

  /** What a leg has skipped and the other one had brought before. */
  #countMissing(leg: 1 | 2, sequence: number): void {
    const latest = this.#latest[leg] ?? sequence - 1;
    const brought = Math.min(sequence, this.#next) - latest - 1;
    if (brought > 0) this.counters.recovered += brought;
    this.#latest[leg] = Math.max(latest, sequence);
  }

  #drain(nowUs: number): void {
    for (let held = this.#held.get(this.#next); held !== undefined; held = this.#held.get(this.#next)) {
      this.#held.delete(this.#next);
      this.#next++;
      this.#gapSinceUs = null;
      this.#emit(nowUs, held.item);
    }
    if (this.#held.size === 0) this.#gapSinceUs = null;
    else this.#gapSinceUs ??= nowUs;
  }

  /** A stream of another source is taken only once the one before has ended. */
  #sameStream(nowUs: number, position: { readonly sequence: number; readonly ssrc: number }): boolean {
    if (this.#ssrc !== position.ssrc) {
      if (this.#ssrc !== null && nowUs - this.#seenUs < this.#windowUs) return false;
      this.#start(position);
    }
    this.#seenUs = nowUs;
    return true;
  }

  #start({ sequence, ssrc }: { readonly sequence: number; readonly ssrc: number }): void {
    this.#ssrc = ssrc;
    this.#next = sequence;
    this.#held.clear();
    this.#gapSinceUs = null;
    this.#latest = { 1: null, 2: null };
  }
}
