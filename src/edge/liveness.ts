/** What is known of a connection's traffic at one moment; both numbers only grow. */
export interface TrafficSample {
  /** What the edge itself sent: the relay must acknowledge it, so silence after it means something. */
  readonly sent: number;
  /** Anything heard from the relay; packets where the engine counts them. */
  readonly received: number;
  /** Null where unknown. */
  readonly rttMs: number | null;
}

export interface LivenessVerdict {
  /** The relay does not acknowledge what is sent: use another one if there is one. The connection lives on. */
  readonly suspect: boolean;
  /** Send something that must be answered. */
  readonly probe: boolean;
}

/** Below this a busy relay or a short queue on the path would pass for a dead one. */
const shortestSilenceMs = 300;
/** Added to 3 round trips: the relay may hold an acknowledgement back for 25 ms, and timers are late under load. */
const ackSlackMs = 150;
/** A relay that came back is trusted again after it has answered for this long, so that a bad path does not flap. */
const trustedAgainAfterMs = 2000;
/** Under the keep-alive, so that an idle tunnel hears of a restarted relay's stateless reset within it. */
const probeAfterSilenceMs = 3000;
const probeEveryMs = 1000;
/** A gap between samples that tells of our own process having stood still, in which no answer could be read. */
const stalledAfterMs = 500;

/**
 * Notices a dead relay long before QUIC's idle timeout: pure. What was sent stays unacknowledged for three round trips
 * and the time an acknowledgement may be held back, 300 ms at least, while the caller samples every 100 ms.
 */
export class Liveness {
  readonly #samplePeriodMs: number;
  #sampledAtMs: number;
  #heardAtMs: number;
  #probedAtMs: number;
  #unansweredSinceMs: number | null = null;
  #distrustedUntilMs = -Infinity;
  #sent = 0;
  #received = 0;

  constructor(nowMs: number, samplePeriodMs: number) {
    this.#samplePeriodMs = samplePeriodMs;
    this.#sampledAtMs = nowMs;
    this.#heardAtMs = nowMs;
    this.#probedAtMs = nowMs;
  }

  observe(nowMs: number, sample: TrafficSample): LivenessVerdict {
    this.#note(nowMs, sample);
    const silentForMs = this.#unansweredSinceMs === null ? 0 : nowMs - this.#unansweredSinceMs;
    const silent = silentForMs >= Math.max(shortestSilenceMs, 3 * (sample.rttMs ?? 0) + ackSlackMs);
    if (silent) this.#distrustedUntilMs = nowMs + trustedAgainAfterMs;
    const quiet = silent || nowMs - this.#heardAtMs >= probeAfterSilenceMs;
    const probe = quiet && nowMs - this.#probedAtMs >= probeEveryMs;
    if (probe) this.#probedAtMs = nowMs;
    return { suspect: nowMs < this.#distrustedUntilMs, probe };
  }

  #note(nowMs: number, { sent, received }: TrafficSample): void {
    const stalled = nowMs - this.#sampledAtMs > this.#samplePeriodMs + stalledAfterMs;
    if (received !== this.#received) {
      this.#heardAtMs = nowMs;
      this.#unansweredSinceMs = null;
    } else if (sent !== this.#sent) {
      this.#unansweredSinceMs ??= nowMs;
    }
    if (stalled && this.#unansweredSinceMs !== null) this.#unansweredSinceMs = nowMs;
    this.#sampledAtMs = nowMs;
    this.#sent = sent;
    this.#received = received;
  }
}
