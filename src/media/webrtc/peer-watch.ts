/** How long ICE and DTLS may take. */
const connectMs = 10_000;
/** A peer that has sent nothing for so long is gone: the library itself notices only after half a minute. */
const silenceMs = 10_000;

/** Decides when a session's peer has not connected in time, or has gone without closing. */
export class PeerWatch {
  readonly #startedMs: number;
  /** Null before ICE and DTLS are complete. */
  #lastActiveMs: number | null = null;

  constructor(nowMs: number) {
    this.#startedMs = nowMs;
  }

  /** Call when the session is connected, and for each packet of the peer. */
  noteActivity(nowMs: number): void {
    this.#lastActiveMs = nowMs;
  }

  /** Why the session is over; null while it is not. */
  verdict(nowMs: number): string | null {
    if (this.#lastActiveMs === null) {
      return nowMs - this.#startedMs < connectMs ? null : `not connected within ${connectMs / 1000} s (ICE)`;
    }
    return nowMs - this.#lastActiveMs < silenceMs ? null : `nothing came for ${silenceMs / 1000} s`;
  }
}
