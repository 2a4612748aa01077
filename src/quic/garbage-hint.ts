/** V8 begins to collect when memory outside its heap has grown by this much. */
const hintBytes = 64 * 1024 * 1024;

/**
 * V8 collects closed connections far too late: it does not see what native code holds for them, and lets its own heap
 * double first. So after some of them it is shown memory that it does see. The memory is never touched, so it only
 * costs address space for a moment. It is too large for malloc to take it from between small pieces, which would
 * scatter them over the heap.
 */
export class GarbageHint {
  readonly #connectionsPerHint: number;
  #closed = 0;

  /** A collection takes some 50 to 100 ms of CPU. */
  constructor(connectionsPerHint: number) {
    this.#connectionsPerHint = connectionsPerHint;
  }

  onClosed(): void {
    this.#closed += 1;
    if (this.#closed < this.#connectionsPerHint) return;
    this.#closed = 0;
    try {
      Buffer.allocUnsafeSlow(hintBytes);
    } catch {
      // V8 has collected what it could before it gave up; address space is limited here.
    }
  }
}
