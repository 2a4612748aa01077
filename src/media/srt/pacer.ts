import type { BandwidthLimit } from './srt-settings.ts';

/** How much may go out at once after a pause, in µs of the allowed rate. */
const burstUs = 10_000;
/** The least rate that a measurement gives, in bytes a second: a pause must not choke what comes after it. */
const leastMeasured = 125_000;
const measureUs = 1_000_000;

/** Spaces packets so that a connection stays below its bandwidth limit (draft-sharabayko-srt-01 §5.1). */
export class Pacer {
  readonly #limit: BandwidthLimit;
  #freeAtUs = 0;
  #measuredFromUs = 0;
  #measuredBytes = 0;
  #inputBytesPerSecond = Number.POSITIVE_INFINITY;

  constructor(limit: BandwidthLimit) {
    this.#limit = limit;
  }

  /** Bytes a second; Infinity without a limit. */
  get bytesPerSecond(): number {
    if (this.#limit.kind === 'unlimited') return Number.POSITIVE_INFINITY;
    if (this.#limit.kind === 'fixed') return this.#limit.bytesPerSecond;
    return this.#inputBytesPerSecond * (1 + this.#limit.overheadPercent / 100);
  }

  /** When the next packet may go out; in the past for now. */
  get freeAtUs(): number {
    return this.#freeAtUs;
  }

  /** `bytes` were written by the application. */
  noteInput(nowUs: number, bytes: number): void {
    if (this.#limit.kind !== 'measured') return;
    this.#measuredBytes += bytes;
    if (this.#measuredFromUs === 0) this.#measuredFromUs = nowUs;
    const elapsed = nowUs - this.#measuredFromUs;
    if (elapsed < measureUs) return;
    this.#inputBytesPerSecond = Math.max(leastMeasured, (this.#measuredBytes * 1e6) / elapsed);
    this.#measuredFromUs = nowUs;
    this.#measuredBytes = 0;
  }

  noteSent(nowUs: number, bytes: number): void {
    const rate = this.bytesPerSecond;
    if (rate === Number.POSITIVE_INFINITY) return;
    this.#freeAtUs = Math.max(this.#freeAtUs, nowUs - burstUs) + (bytes * 1e6) / rate;
  }
}
