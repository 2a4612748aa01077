/** Follows the continuity counters of all PIDs (ISO/IEC 13818-1 §2.4.3.3). */
export class ContinuityWatch {
  /** -1 for a PID that has not been seen. */
  readonly #last = new Int8Array(8192).fill(-1);
  readonly #repeated = new Uint8Array(8192);

  /**
   * Returns false where packets are missing. `flags` is the fourth byte of the header. A payload may be sent twice, and
   * a gap is no error where the stream says that it is meant.
   */
  check(pid: number, flags: number, discontinuity: boolean): boolean {
    const counter = flags & 0x0f;
    const last = this.#last[pid] ?? -1;
    const repeated = this.#repeated[pid] === 1;
    this.#last[pid] = counter;
    this.#repeated[pid] = 0;
    if (last === -1 || discontinuity) return true;
    if ((flags & 0x10) === 0) return counter === last;
    if (counter === ((last + 1) & 0x0f)) return true;
    if (counter !== last || repeated) return false;
    this.#repeated[pid] = 1;
    return true;
  }
}
