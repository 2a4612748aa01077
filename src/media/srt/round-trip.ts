/** Estimate of the round trip (draft-sharabayko-srt-01 §4.10), in µs. */
export class RoundTrip {
  #rttUs = 100_000;
  #varianceUs = 50_000;
  #measured = false;

  get rttUs(): number {
    return this.#rttUs;
  }

  get varianceUs(): number {
    return this.#varianceUs;
  }

  /** After so long without an answer, something is lost. */
  get timeoutUs(): number {
    return this.#rttUs + 4 * this.#varianceUs;
  }

  get measured(): boolean {
    return this.#measured;
  }

  /** The first measurement replaces the initial guess of 100 ms. */
  update(sampleUs: number): void {
    if (sampleUs < 0 || sampleUs > 60_000_000) return;
    if (this.#measured) {
      this.#varianceUs += (Math.abs(this.#rttUs - sampleUs) - this.#varianceUs) / 4;
      this.#rttUs += (sampleUs - this.#rttUs) / 8;
      return;
    }
    this.#measured = true;
    this.#rttUs = sampleUs;
    this.#varianceUs = sampleUs / 2;
  }
}
