/** Packets and bytes, and the bit rate of the latest whole second. */
export class RateMeter {
  packets = 0;
  bytes = 0;
  #fromUs: number | null = null;
  #fromBytes = 0;
  #bitsPerSecond = 0;

  add(nowUs: number, bytes: number): void {
    this.packets++;
    this.bytes += bytes;
    this.#fromUs ??= nowUs;
  }

  bitsPerSecond(nowUs: number): number {
    const elapsed = nowUs - (this.#fromUs ?? nowUs);
    if (elapsed >= 900_000) {
      this.#bitsPerSecond = Math.round(((this.bytes - this.#fromBytes) * 8e6) / elapsed);
      this.#fromUs = nowUs;
      this.#fromBytes = this.bytes;
    }
    return this.#bitsPerSecond;
  }
}
