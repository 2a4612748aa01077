/** How long ICE and DTLS may take. */
const connectMs = 10_000;
/** A peer that has sent nothing for so long is gone: the library itself notices only after half a minute. */
const silenceMs = 10_000;

/** Knows when a session's peer has not come, or has gone without a farewell. */
export class PeerWatch {
  readonly #startedMs: number;
  /** Null before ICE and DTLS are complete. */
  #heardMs: number | null = null;

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
  }

  /** The connection is there, or something has come from the peer. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** Why the session is over; null while it is not. */
  verdict(nowMs: number): string | null {
    if (this.#heardMs === null) {
      return nowMs - this.#startedMs < connectMs ? null : `not connected within ${connectMs / 1000} s (ICE)`;
    }
    return nowMs - this.#heardMs < silenceMs ? null : `nothing came for ${silenceMs / 1000} s`;
  }
}
