/** Every path carries this much (RFC 9000 §14). */
export const minPayload = 1200;

/** Probe timeouts in a row, or judgements in a row, after which large packets are given up. */
const strikesToGiveUp = 3;
/** While larger packets are tried again, less is needed. */
const strikesInTrial = 2;

/** Timeouts further apart than this do not belong to one silence: quiche doubles the pause each time, from about 100 ms. */
const silenceMs = 2_000;

/** Large packets that a judgement needs, and the time that it must cover, so that what is under way does not count as lost. */
const judgedPackets = 5;
const judgementMs = 1_000;

/** All large packets are lost on a path that carries none; where some arrive, the losses are congestion. */
const lostShare = 0.8;

const firstTrialMs = 5_000;
const longestTrialMs = 600_000;

export interface PathCounts {
  /** Packets that quiche has declared lost. */
  readonly lost: number;
  /** Packets above 1200 bytes that were sent. */
  readonly large: number;
}

/**
 * Decides how large packets may be. quiche 0.18 neither probes the path nor tells which packets were lost; but when the path carries only
 * small ones, either nothing is acknowledged (timeout after timeout), or about as many are lost as were large.
 */
export class PathMtu {
  readonly #fullPayload: number;
  #state: 'full' | 'reduced' | 'trial' = 'full';
  /** Judgements in a row by which all that was large was lost. */
  #bad = 0;
  #judged: PathCounts = { lost: 0, large: 0 };
  #judgedMs: number;
  /** Timeouts in a row without any news of lost packets, which only an acknowledgement brings. */
  #silences = 0;
  #silent: PathCounts = { lost: 0, large: 0 };
  #silentMs = Number.NEGATIVE_INFINITY;
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

  /** quiche sent probes because nothing was acknowledged for too long. */
  onProbeTimeout(counts: PathCounts, nowMs: number): void {
    if (this.#state === 'reduced' || counts.large === this.#silent.large) return;
    const goesOn = counts.lost === this.#silent.lost && nowMs - this.#silentMs < silenceMs;
    this.#silences = goesOn ? this.#silences + 1 : 1;
    this.#silent = { lost: counts.lost, large: goesOn ? this.#silent.large : counts.large - 1 };
    this.#silentMs = nowMs;
    this.#giveUpAfter(this.#silences, counts, nowMs);
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
    this.#silences = 0;
    this.#silent = counts;
    this.#silentMs = Number.NEGATIVE_INFINITY;
  }
}
