/** H.264 and H.265 reorder at most so many pictures. */
const mostDepth = 16;

/**
 * Finds decoding times where a transport has none, as RTP: pictures come in the order of decoding with the times at
 * which they are shown. Learns from times that go back how many pictures are reordered; without B-frames both are the
 * same.
 */
export class DtsGuess {
  /** Times that are not used up, in order; one more than the pictures that are reordered. */
  #waiting: number[] = [];
  #depth = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** The decoding time of the next picture; never above `pts`. */
  next(pts: number): number {
    if (pts < this.#last && this.#depth < mostDepth) this.#depth++;
    this.#waiting.push(pts);
    this.#waiting.sort((one, other) => one - other);
    const dts = this.#waiting.length > this.#depth ? (this.#waiting.shift() ?? pts) : (this.#waiting[0] ?? pts);
    this.#last = Math.min(dts, pts);
    return this.#last;
  }
}
