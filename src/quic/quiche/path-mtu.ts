/** Every path carries this much (RFC 9000 §14). */
export const minPayload = 1200;

/**
 * Timeouts in a row, or judgements in a row, behind which all that was large was lost, after which large packets are
 * given up.
 */
const strikesToGiveUp = 3;
/** While larger packets are tried again, less is needed. */
const strikesInTrial = 2;

/** Timeouts further apart than this do not belong together: quiche doubles the pause each time, from about 100 ms. */
const strikesTogetherMs = 5_000;

/** Large packets that a judgement, or timeouts in a row, must be about. */
const judgedPackets = 5;
/** The time that a judgement must cover, so that what is under way does not count as lost. */
const judgementMs = 1_000;

/** All large packets are lost on a path that carries none; where some arrive, the losses are congestion. */
const lostShare = 0.8;

const firstTrialMs = 5_000;
/** A path may carry more again; a trial costs two judgements of large packets where it does not. */
const longestTrialMs = 45_000;

export interface PathCounts {
  /** Packets that quiche has declared lost. */
  readonly lost: number;
  /** Packets above 1200 bytes that were sent. */
  readonly large: number;
}

/**
 * Decides how large packets may be. quiche 0.18 neither probes the path nor reports which packets were lost. But when
 * the path carries only small ones, about as many are lost as were large. Silence alone proves nothing: in an outage
 * small packets are lost as well, and the flow of large ones must go on at its end.
 */
export class PathMtu {
  readonly #fullPayload: number;
  #state: 'full' | 'reduced' | 'trial' = 'full';
  /** Judgements in a row by which all that was large was lost. */
  #bad = 0;
  #judged: PathCounts = { lost: 0, large: 0 };
  #judgedMs: number;
  /** Timeouts in a row by which all that was large was lost, and the large packets that they were about. */
  #strikes = { count: 0, large: 0, lastMs: Number.NEGATIVE_INFINITY };
  /** At the last timeout. */
  #seen: PathCounts = { lost: 0, large: 0 };
  /** What earlier timeouts have dealt with. */
  #settled: PathCounts = { lost: 0, large: 0 };
  #trialDueMs = Number.POSITIVE_INFINITY;
  #trialPauseMs = firstTrialMs;

  constructor(fullPayload: number, nowMs: number) {
    this.#fullPayload = fullPayload;
    this.#judgedMs = nowMs;
  }

  get payload(): number {
    return this.#state === 'reduced' ? minPayload : this.#fullPayload;
  }

  /** Whether `judge` would learn something from the counts. */
  wantsJudgement(large: number, nowMs: number): boolean {
    if (this.#state === 'reduced') return nowMs >= this.#trialDueMs;
    return large - this.#judged.large >= judgedPackets && nowMs - this.#judgedMs >= judgementMs;
  }

  /** Compares what was lost with what was large. */
  judge(counts: PathCounts, nowMs: number): void {
    if (this.#state === 'reduced') {
      if (nowMs >= this.#trialDueMs) this.#enter('trial', counts, nowMs);
      return;
    }
    const large = counts.large - this.#judged.large;
    const lost = counts.lost - this.#judged.lost;
    this.#judged = counts;
    this.#judgedMs = nowMs;
    if (lost >= large * lostShare) {
      this.#bad += 1;
      this.#giveUpAfter(this.#bad, counts, nowMs);
    } else if (this.#state === 'trial') {
      this.#trialPauseMs = firstTrialMs;
      this.#enter('full', counts, nowMs);
    } else {
      this.#bad = 0;
    }
  }

  /**
   * quiche waited too long for an acknowledgement. The caller then sends a small packet. If small ones pass, its
   * acknowledgement lets quiche declare the large ones before it lost, and the next timeout finds that here.
   */
  onTimeout(counts: PathCounts, nowMs: number): void {
    if (this.#state === 'reduced') return;
    const seen = this.#seen;
    this.#seen = counts;
    const large = seen.large - this.#settled.large;
    if (counts.lost === seen.lost || large <= 0) return;
    const lost = counts.lost - this.#settled.lost;
    this.#settled = { lost: counts.lost, large: seen.large };
    const { count, large: before, lastMs } = this.#strikes;
    const isStrike = lost >= large * lostShare;
    const goesOn = isStrike && nowMs - lastMs < strikesTogetherMs;
    this.#strikes = {
      count: Number(isStrike) + (goesOn ? count : 0),
      large: large + (goesOn ? before : 0),
      lastMs: nowMs,
    };
    if (this.#strikes.large >= judgedPackets) this.#giveUpAfter(this.#strikes.count, counts, nowMs);
  }

  #giveUpAfter(strikes: number, counts: PathCounts, nowMs: number): void {
    if (strikes < (this.#state === 'trial' ? strikesInTrial : strikesToGiveUp)) return;
    this.#trialDueMs = nowMs + this.#trialPauseMs;
    this.#trialPauseMs = Math.min(longestTrialMs, this.#trialPauseMs * 2);
    this.#enter('reduced', counts, nowMs);
  }

  #enter(state: 'full' | 'reduced' | 'trial', counts: PathCounts, nowMs: number): void {
    this.#state = state;
    this.#bad = 0;
    this.#judged = counts;
    this.#judgedMs = nowMs;
    this.#strikes = { count: 0, large: 0, lastMs: Number.NEGATIVE_INFINITY };
    this.#seen = counts;
    this.#settled = counts;
  }
}
