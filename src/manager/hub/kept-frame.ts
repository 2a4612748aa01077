const stepBytes = 1_024;

/**
 * The newest of frames that replace each other, in memory of its own that is used again. A new text for each would be
 * old enough for the collector to move when the next one comes. Thousands of nodes would leave 10 MB a second behind.
 */
export class KeptFrame {
  #memory = Buffer.alloc(0);
  #length = 0;
  #at = 0;

  /** When it came; of use once there is one. */
  get at(): number {
    return this.#at;
  }

  /** Empty before the first; changed by the next `put`. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  put(bytes: Uint8Array, at: number): void {
    const wanted = Math.ceil(bytes.length / stepBytes) * stepBytes;
    // One that was large once does not hold its memory for ever.
    if (wanted > this.#memory.length || wanted < this.#memory.length / 4) this.#memory = Buffer.allocUnsafeSlow(wanted);
    this.#memory.set(bytes);
    this.#length = bytes.length;
    this.#at = at;
  }
}
