const wrap = 2 ** 33;

/** Puts the 33-bit times of a programme on one line that does not wrap. */
export class TimeLine {
  #last: number | null = null;

  /** The time on the line that is nearest to the one before. */
  place(time: number): number {
    const last = this.#last ?? time;
    const placed = time + Math.round((last - time) / wrap) * wrap;
    this.#last = placed;
    return placed;
  }
}
