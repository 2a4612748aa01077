import type { Random } from '../../../src/lib/random.ts';

export interface PathQuality {
  /** 0 to 1. */
  readonly loss: number;
  readonly delayUs: number;
  /** Added to the delay, evenly spread; makes packets overtake each other. */
  readonly jitterUs: number;
}

interface InFlight {
  readonly atUs: number;
  readonly order: number;
  readonly arrive: (nowUs: number) => void;
}

/** Carries packets in virtual time, seeded: loses, delays and reorders them. */
export class VirtualPath {
  readonly #random: Random;
  readonly #inFlight: InFlight[] = [];
  quality: PathQuality;
  #order = 0;

  constructor(random: Random, quality: PathQuality) {
    this.#random = random;
    this.quality = quality;
  }

  /** When the next packet arrives; Infinity with none on the way. */
  get nextUs(): number {
    return this.#inFlight[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  /** `packet` is copied, as a socket does. */
  send(nowUs: number, packet: Buffer, arrive: (packet: Buffer, nowUs: number) => void): void {
    const { loss, delayUs, jitterUs } = this.quality;
    if (this.#random.float() < loss) return;
    const copy = Buffer.from(packet);
    const atUs = nowUs + delayUs + this.#random.float() * jitterUs;
    const entry = { atUs, order: this.#order++, arrive: (now: number) => arrive(copy, now) };
    let at = this.#inFlight.length;
    while (at > 0 && (this.#inFlight[at - 1]?.atUs ?? 0) > atUs) at--;
    this.#inFlight.splice(at, 0, entry);
  }

  /** Lets everything arrive that is due. */
  deliver(nowUs: number): void {
    while (this.nextUs <= nowUs) this.#inFlight.shift()?.arrive(nowUs);
  }
}
