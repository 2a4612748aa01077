/** What is known of a connection's traffic at one moment; all counts only grow. */
export interface TrafficSample {
  /** What the edge itself sent: the relay must acknowledge it, so silence after it means something. */
  readonly sent: number;
  /** Anything received from the relay; packets where the engine counts them. */
  readonly received: number;
  /** Pings sent on the control stream, and the relay's answers to them. */
  readonly pings: number;
  readonly pongs: number;
  /** Null where unknown. */
  readonly rttMs: number | null;
}

export interface LivenessVerdict {
  /** The relay does not acknowledge what is sent: use another one if there is one. The connection lives on. */
  readonly suspect: boolean;
  /** Packets come from the relay, but no answer to our pings: what is sent does not arrive. */
  readonly oneWay: boolean;
  /**
   * Milliseconds since the oldest packet or ping that is not answered yet; 0 when all are.
   */
  readonly silentMs: number;
  /** Send something that must be answered. */
  readonly probe: boolean;
}

/** Below this a busy relay or a short queue on the path would pass for a dead one. */
const shortestSilenceMs = 200;
/** Added to 3 round trips: the relay may hold an acknowledgement back for 25 ms, and timers are late under load. */
const ackSlackMs = 100;
/** For a ping's answer, at least: the control stream repeats what the path loses. */
const shortestUnansweredMs = 1000;
/** A ping or its answer may be lost twice before the path is to blame. */
const unansweredRoundTrips = 6;
/** A relay that came back is trusted again after it has answered for this long, so that a bad path does not flap. */
const trustedAgainAfterMs = 2000;
/**
 * Under the keep-alive: an idle tunnel must learn of a restarted relay (stateless reset) and be bound anew within 5 s.
 */
const probeAfterSilenceMs = 2000;
const probeEveryMs = 1000;
/** While nothing is sent and nothing is awaited, a sample this often is enough. */
const idleSampleMs = 250;
/** A gap between samples this long means that our own process stood still and could read no answer. */
const stalledAfterMs = 500;

/**
 * A packet that arrives is no proof that ours do: an uplink may be blocked alone. The proof is the answer to a ping, so
 * a relay that answers pings is asked whenever the last proof is 2 s old, whatever else arrives. One that has never
 * answered a ping is judged by what arrives.
 *
 * Notices a dead relay long before QUIC's idle timeout: pure. A relay is suspect when packets have gone unanswered for
 * three round trips and 100 ms, at least 200 ms. With a sample every 50 ms that is 250 to 300 ms after its last packet.
 * Suspicion costs little (the other relay is bound as well), so it may be wrong now and then.
 */
export class Liveness {
  readonly #samplePeriodMs: number;
  #sampledAtMs: number;
  /** When the relay last proved that our packets arrive; without pings, when anything came. */
  #heardAtMs: number;
  #probedAtMs: number;
  #unansweredSinceMs: number | null = null;
  /**
   * When the oldest ping without an answer was seen; null while every ping is answered, and before the first answer.
   */
  #pingedSinceMs: number | null = null;
  /** The last sign of anything from the relay; a packet that was under way when a ping left is no answer to it. */
  #arrivedAtMs = -Infinity;
  #distrustedUntilMs = -Infinity;
  #sent = 0;
  #received = 0;
  #pings = 0;
  #pongs = 0;

  constructor(nowMs: number, samplePeriodMs: number) {
    this.#samplePeriodMs = samplePeriodMs;
    this.#sampledAtMs = nowMs;
    this.#heardAtMs = nowMs;
    this.#probedAtMs = nowMs;
  }

  /**
   * Whether a sample could show anything new. This check costs nothing, while a sample reads counters of the engine.
   */
  isDue(nowMs: number, sent: number): boolean {
    const awaiting =
      this.#unansweredSinceMs !== null || this.#pingedSinceMs !== null || nowMs < this.#distrustedUntilMs;
    return sent !== this.#sent || awaiting || nowMs - this.#sampledAtMs >= idleSampleMs;
  }

  observe(nowMs: number, sample: TrafficSample): LivenessVerdict {
    this.#note(nowMs, sample);
    const rttMs = sample.rttMs ?? 0;
    const silentMs = this.#unansweredSinceMs === null ? 0 : nowMs - this.#unansweredSinceMs;
    const silent = silentMs >= Math.max(shortestSilenceMs, 3 * rttMs + ackSlackMs);
    const unprovedMs = this.#pingedSinceMs === null ? 0 : nowMs - this.#pingedSinceMs;
    const unproved = unprovedMs >= Math.max(shortestUnansweredMs, unansweredRoundTrips * rttMs + ackSlackMs);
    if (silent || unproved) this.#distrustedUntilMs = nowMs + trustedAgainAfterMs;
    const quiet = silent || nowMs - this.#heardAtMs >= probeAfterSilenceMs;
    const probe = quiet && nowMs - this.#probedAtMs >= probeEveryMs;
    if (probe) this.#probedAtMs = nowMs;
    return {
      suspect: nowMs < this.#distrustedUntilMs,
      oneWay: unproved && this.#arrivedAtMs - (this.#pingedSinceMs ?? nowMs) > rttMs + ackSlackMs,
      silentMs: Math.max(silentMs, unprovedMs),
      probe,
    };
  }

  #note(nowMs: number, sample: TrafficSample): void {
    const { sent, received } = sample;
    const stalled = nowMs - this.#sampledAtMs > this.#samplePeriodMs + stalledAfterMs;
    this.#notePings(nowMs, sample, stalled);
    if (received !== this.#received) {
      this.#arrivedAtMs = nowMs;
      if (this.#pongs === 0) this.#heardAtMs = nowMs;
      this.#unansweredSinceMs = null;
    } else if (sent !== this.#sent) {
      this.#unansweredSinceMs ??= nowMs;
    }
    if (stalled && this.#unansweredSinceMs !== null) this.#unansweredSinceMs = nowMs;
    this.#sampledAtMs = nowMs;
    this.#sent = sent;
    this.#received = received;
  }

  #notePings(nowMs: number, { pings, pongs }: TrafficSample, stalled: boolean): void {
    if (pongs !== this.#pongs) {
      this.#heardAtMs = nowMs;
      this.#pingedSinceMs = null;
    } else if (pings !== this.#pings && pongs > 0) {
      this.#pingedSinceMs ??= nowMs;
    }
    if (stalled && this.#pingedSinceMs !== null) this.#pingedSinceMs = nowMs;
    this.#pings = pings;
    this.#pongs = pongs;
  }
}
