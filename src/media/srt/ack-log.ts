/** ACKs that wait for their ACKACK; a power of two. */
const size = 64;

/** The full ACKs that were sent last, by number, for the round trip that their ACKACKs show. */
export class AckLog {
  /** 0 for one that was confirmed. */
  readonly #sentUs = new Float64Array(size);
  #latest = 0;
  #confirmed = 0;

  /** Whether the peer has not confirmed the latest ACK. */
  get open(): boolean {
    return this.#confirmed !== this.#latest;
  }

  /** Returns the number of the ACK that goes out now; numbers start at 1. */
  add(nowUs: number): number {
    this.#latest = (this.#latest + 1) & 0x7fff_ffff || 1;
    this.#sentUs[this.#latest & (size - 1)] = nowUs;
    return this.#latest;
  }

  /** Returns when the ACK was sent; null for one that is unknown, too old, or confirmed before. */
  confirm(number: number): number | null {
    const age = this.#latest - number;
    const slot = number & (size - 1);
    const sentUs = this.#sentUs[slot] ?? 0;
    if (age < 0 || age >= size || sentUs === 0) return null;
    this.#sentUs[slot] = 0;
    this.#confirmed = Math.max(this.#confirmed, number);
    return sentUs;
  }
}
