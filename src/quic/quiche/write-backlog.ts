/** Bytes that a stream has taken from the program and QUIC not yet from the stream, in order. */
export class WriteBacklog {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /**
   * Offers chunk after chunk to `take`, which returns how many bytes it took, until it takes less than all or there are
   * none.
   */
  drain(take: (chunk: Uint8Array) => number): void {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const taken = take(chunk);
      this.#bytes = Math.max(0, this.#bytes - taken);
      if (taken < chunk.length) {
        if (this.#chunks.length > 0) this.#chunks[0] = chunk.subarray(taken);
        return;
      }
      this.#chunks.shift();
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
  }
}
