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
  /** How long what was sent has been without any answer, in milliseconds; 0 while nothing is awaited. */
  readonly silentMs: number;
  /** Send something that must be answered. */
  readonly probe: boolean;
}

/** Below this a busy relay or a short queue on the path would pass for a dead one. */
const shortestSilenceMs = 200;
/** Added to 3 round trips: the relay may hold an acknowledgement back for 25 ms, and timers are late under load. */
const ackSlackMs = 100;
/** A relay that came back is trusted again after it has answered for this long, so that a bad path does not flap. */
const trustedAgainAfterMs = 2000;
/** Under the keep-alive: an idle tunnel must hear of a restarted relay (stateless reset) and be bound anew within 5 s. */
const probeAfterSilenceMs = 2000;
const probeEveryMs = 1000;
/** While nothing is sent and nothing is awaited, a sample this often is enough. */
const idleSampleMs = 250;
/** A gap between samples that tells of our own process having stood still, in which no answer could be read. */
const stalledAfterMs = 500;

/**
 * Notices a dead relay long before QUIC's idle timeout: pure. A relay is suspect once what was sent has stayed without
 * any answer for three round trips and 100 ms, 200 ms at least; with a sample every 50 ms that is 250 to 300 ms after
 * its last word. Suspicion costs little (the other relay is bound as well), so it may be wrong now and then.
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

  /** Whether a sample could tell anything new; asking costs nothing, while a sample asks the engine for numbers. */
  isDue(nowMs: number, sent: number): boolean {
    const awaiting = this.#unansweredSinceMs !== null || nowMs < this.#distrustedUntilMs;
    return sent !== this.#sent || awaiting || nowMs - this.#sampledAtMs >= idleSampleMs;
  }

  observe(nowMs: number, sample: TrafficSample): LivenessVerdict {
    this.#note(nowMs, sample);
    const silentMs = this.#unansweredSinceMs === null ? 0 : nowMs - this.#unansweredSinceMs;
    const silent = silentMs >= Math.max(shortestSilenceMs, 3 * (sample.rttMs ?? 0) + ackSlackMs);
    if (silent) this.#distrustedUntilMs = nowMs + trustedAgainAfterMs;
    const quiet = silent || nowMs - this.#heardAtMs >= probeAfterSilenceMs;
    const probe = quiet && nowMs - this.#probedAtMs >= probeEveryMs;
    if (probe) this.#probedAtMs = nowMs;
    return { suspect: nowMs < this.#distrustedUntilMs, silentMs, probe };
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
