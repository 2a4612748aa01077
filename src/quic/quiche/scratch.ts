/** The most that one native call hands over: a stream's share per turn, and more than any datagram. */
const scratchBytes = 64 * 1024;

/** Views of one buffer that every connection reads into; valid until the next native call that reads. */
class Scratch {
  readonly whole: Uint8Array = Buffer.allocUnsafeSlow(scratchBytes);
  readonly #views: Uint8Array[] = [];

  /**
   * The first `length` bytes. Views of datagram sizes are kept, because making one costs as much as the copy that it
   * saves.
   */
  first(length: number): Uint8Array {
    if (length > 2048) return this.whole.subarray(0, length);
    return (this.#views[length] ??= this.whole.subarray(0, length));
  }
}

export const scratch = new Scratch();
