/** A correction follows from so many samples: ten seconds of ACKs. */
const samplesPerWindow = 1000;
/** Or from what came in so long, where there are only keep-alives. */
const longestWindowUs = 10_000_000;
/** No clock that works is farther off: more than this is the network's delay, and must not shift deliveries at once. */
const maxDrift = 500e-6;
const wrap = 2 ** 32;

/**
 * Timestamp-based packet delivery (draft-sharabayko-srt-01 §4.5): turns the peer's 32-bit µs timestamps into times of
 * the local clock. The base follows the peer's clock, or 120 ms of latency would be gone after 40 minutes at 50 ppm.
 */
export class Tsbpd {
  readonly latencyUs: number;
  #baseUs: number;
  /** The latest timestamp, extended beyond 32 bits. */
  #latest: number;
  #firstRttUs: number | null = null;
  #samples = 0;
  #sumUs = 0;
  #windowUs: number;

  /** `timestamp` is the one of the handshake that arrived at `nowUs`. */
  constructor(nowUs: number, timestamp: number, latencyUs: number) {
    this.#baseUs = nowUs - timestamp;
    this.#latest = timestamp;
    this.#windowUs = nowUs;
    this.latencyUs = latencyUs;
  }

  /** The timestamp counted on over the wraps every 71.6 minutes. */
  extend(timestamp: number): number {
    const behind = (timestamp - this.#latest) | 0;
    const extended = this.#latest + behind;
    if (behind > 0) this.#latest = extended;
    return extended;
  }

  /** When a packet with this extended timestamp is to be delivered. */
  dueUs(extended: number): number {
    return this.#baseUs + extended + this.latencyUs;
  }

  /**
   * A packet that the peer stamped as it sent it. Round trips that have grown since the first are half taken off: the
   * way has become longer, not the peer's clock slower. `rttUs` is null before the first one is measured.
   */
  sample(nowUs: number, timestamp: number, rttUs: number | null): void {
    this.#firstRttUs ??= rttUs;
    const grownUs = (rttUs ?? 0) - (this.#firstRttUs ?? 0);
    this.#sumUs += nowUs - this.#baseUs - this.extend(timestamp) - grownUs / 2;
    this.#samples++;
    if (this.#samples < samplesPerWindow && nowUs - this.#windowUs < longestWindowUs) return;
    const drift = this.#sumUs / this.#samples;
    const most = (nowUs - this.#windowUs) * maxDrift;
    this.#baseUs += Math.max(-most, Math.min(most, drift));
    this.#samples = 0;
    this.#sumUs = 0;
    this.#windowUs = nowUs;
  }
}

/** The timestamp field for a time since the connection's start; wraps. */
export function timestampOf(sinceStartUs: number): number {
  return Math.round(((sinceStartUs % wrap) + wrap) % wrap) % wrap;
}
