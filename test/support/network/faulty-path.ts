import type { Random } from '../../../src/lib/random.ts';

/** What one direction of a network does to packets. Rates are chances per packet, 0 to 1; sizes are UDP payloads. */
export interface Faults {
  readonly lossRate: number;
  /** Chance per packet that a burst begins, in which all are lost (Gilbert's model); `burstEndRate` ends it. */
  readonly burstRate: number;
  readonly burstEndRate: number;
  readonly duplicateRate: number;
  /** Packets that are held back by `reorderMs`, so that later ones pass them. */
  readonly reorderRate: number;
  readonly reorderMs: number;
  readonly delayMs: number;
  /** Added to the delay, evenly spread from 0. Unless `jitterReorders` says otherwise it never changes the order. */
  readonly jitterMs: number;
  /** Each packet takes its own time, as with netem's jitter: later ones may pass it. */
  readonly jitterReorders: boolean;
  /** Null: as fast as it comes. */
  readonly bytesPerSecond: number | null;
  /** What may wait for the rate limit; more is dropped. */
  readonly queueBytes: number;
  /** Larger packets vanish without a word, as behind a tunnel with filtered ICMP. Null: none do. */
  readonly largestPayload: number | null;
  readonly partitioned: boolean;
}

export const faultless: Faults = {
  lossRate: 0,
  burstRate: 0,
  burstEndRate: 0.2,
  duplicateRate: 0,
  reorderRate: 0,
  reorderMs: 20,
  delayMs: 0,
  jitterMs: 0,
  jitterReorders: false,
  bytesPerSecond: null,
  queueBytes: 256 * 1024,
  largestPayload: null,
  partitioned: false,
};

/** What a network with an IPv4 MTU of this many bytes carries as UDP payload. */
export function payloadOfMtu(mtu: number): number {
  return mtu - 28;
}

export interface PathCounts {
  readonly packets: number;
  readonly delivered: number;
  readonly lost: number;
  readonly tooLarge: number;
  readonly overflowed: number;
  readonly duplicated: number;
  readonly reordered: number;
}

/** Decides the fate of each packet of one direction; holds no packet and reads no clock. The same seed gives the same fates. */
export class FaultyPath {
  faults: Faults;
  readonly #random: Random;
  readonly #counts = { packets: 0, delivered: 0, lost: 0, tooLarge: 0, overflowed: 0, duplicated: 0, reordered: 0 };
  #linkFreeAtMs = 0;
  #inBurst = false;
  #lastInOrderMs = 0;

  constructor(random: Random, faults: Faults) {
    this.#random = random;
    this.faults = faults;
  }

  get counts(): PathCounts {
    return { ...this.#counts };
  }

  /** When copies of a packet of `length` bytes that is sent at `nowMs` arrive; none when it is lost. */
  arrivals(nowMs: number, length: number): number[] {
    this.#counts.packets += 1;
    if (this.#vanishes(length)) return [];
    const sentMs = this.#throughLink(nowMs, length);
    if (sentMs === null) return [];
    const { duplicateRate } = this.faults;
    const arrivals = [this.#arrival(sentMs)];
    if (this.#chance(duplicateRate)) {
      this.#counts.duplicated += 1;
      arrivals.push(this.#arrival(sentMs));
    }
    this.#counts.delivered += arrivals.length;
    return arrivals;
  }

  #vanishes(length: number): boolean {
    const { largestPayload, partitioned } = this.faults;
    if (largestPayload !== null && length > largestPayload) {
      this.#counts.tooLarge += 1;
      return true;
    }
    if (!partitioned && !this.#isLost()) return false;
    this.#counts.lost += 1;
    return true;
  }

  #isLost(): boolean {
    const { lossRate, burstRate, burstEndRate } = this.faults;
    this.#inBurst = this.#inBurst ? !this.#chance(burstEndRate) : this.#chance(burstRate);
    return this.#inBurst || this.#chance(lossRate);
  }

  /** When the last bit has left the rate-limited link; null when the queue before it is full. */
  #throughLink(nowMs: number, length: number): number | null {
    const { bytesPerSecond, queueBytes } = this.faults;
    if (bytesPerSecond === null) return nowMs;
    const startMs = Math.max(nowMs, this.#linkFreeAtMs);
    const waitingBytes = ((startMs - nowMs) * bytesPerSecond) / 1000;
    if (waitingBytes + length > queueBytes) {
      this.#counts.overflowed += 1;
      return null;
    }
    this.#linkFreeAtMs = startMs + (length * 1000) / bytesPerSecond;
    return this.#linkFreeAtMs;
  }

  #arrival(sentMs: number): number {
    const { delayMs, jitterMs, jitterReorders, reorderMs, reorderRate } = this.faults;
    const arrivalMs = sentMs + delayMs + (jitterMs > 0 ? this.#random.float() * jitterMs : 0);
    if (this.#chance(reorderRate)) {
      this.#counts.reordered += 1;
      return arrivalMs + reorderMs;
    }
    if (jitterReorders) return arrivalMs;
    this.#lastInOrderMs = Math.max(this.#lastInOrderMs, arrivalMs);
    return this.#lastInOrderMs;
  }

  #chance(rate: number): boolean {
    return rate > 0 && this.#random.float() < rate;
  }
}
