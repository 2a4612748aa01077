/** Some 40 KiB each; a collection takes some 50 ms of CPU, which this makes a tenth of what the handshakes took. */
const connectionsPerHint = 320;
/** V8 begins to collect when memory outside its heap has grown by this much. */
const hintBytes = 64 * 1024 * 1024;

/**
 * V8 does not see what quiche and BoringSSL hold for a connection, and would collect closed ones far too late. So after some of them it is shown
 * memory that it does see. That is never touched, and too large for malloc to take it from between the small pieces, which would scatter
 * them over the heap: it costs address space for a moment.
 */
export class NativeGarbage {
  #closed = 0;

  onClosed(): void {
    this.#closed += 1;
    if (this.#closed < connectionsPerHint) return;
    this.#closed = 0;
    try {
      Buffer.allocUnsafeSlow(hintBytes);
    } catch {
      // V8 has collected what it could before it gave up; address space is limited here.
    }
  }
}
