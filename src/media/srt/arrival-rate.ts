const windowUs = 1_000_000;

/** Packets and bytes a second, of the latest whole second in which packets came. */
export class ArrivalRate {
  packetsPerSecond = 0;
  bytesPerSecond = 0;
  #sinceUs = 0;
  #packets = 0;
  #bytes = 0;

  add(nowUs: number, bytes: number): void {
    this.#packets++;
    this.#bytes += bytes;
    const elapsed = nowUs - this.#sinceUs;
    if (elapsed < windowUs) return;
    this.packetsPerSecond = (this.#packets * 1e6) / elapsed;
    this.bytesPerSecond = (this.#bytes * 1e6) / elapsed;
    this.#sinceUs = nowUs;
    this.#packets = 0;
    this.#bytes = 0;
  }
}
