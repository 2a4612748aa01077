import { ticksPerSecond } from '../codec/media-unit.ts';

const wrap = 2 ** 32;

/**
 * The times of one RTP stream as 90 kHz ticks. Streams of one source share a time line when each is anchored at the
 * same moment. RTP-Info gives that moment (RFC 2326 §12.33), or the wall clock of sender reports (RFC 3550 §6.4.1).
 * Until then a stream begins when its first packet comes.
 */
export class SourceClock {
  readonly #clockRate: number;
  #lastTimestamp: number | null = null;
  /** What is added to unwrapped timestamps, as ticks; null until it is anchored. */
  #shift: number | null = null;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  get isAnchored(): boolean {
    return this.#shift !== null;
  }

  /** `timestamp` of the stream is `ticks` on the common line. */
  anchor(timestamp: number, ticks: number): void {
    this.#shift = ticks - this.#ticksOf(this.#unwrap(timestamp));
  }

  /** The time of a packet that came at `nowUs`. */
  place(nowUs: number, timestamp: number): number {
    const unwrapped = this.#unwrap(timestamp);
    this.#lastTimestamp = unwrapped;
    this.#shift ??= Math.round((nowUs * 9) / 100) - this.#ticksOf(unwrapped);
    return this.#ticksOf(unwrapped) + this.#shift;
  }

  #unwrap(timestamp: number): number {
    const last = this.#lastTimestamp ?? timestamp;
    return timestamp + Math.round((last - timestamp) / wrap) * wrap;
  }

  #ticksOf(timestamp: number): number {
    return Math.round((timestamp * ticksPerSecond) / this.#clockRate);
  }
}
