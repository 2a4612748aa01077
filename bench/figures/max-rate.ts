/** What carrying one rate came to. */
export interface RateTrial {
  readonly ratePerSec: number;
  readonly passed: boolean;
  /** What was in the way when it did not. */
  readonly bottleneck: string;
}

export interface MaxRate {
  /** Highest rate that passed; null when none did. */
  readonly ratePerSec: number | null;
  /** Of the lowest rate that did not; null when all did. */
  readonly bottleneck: string | null;
}

export interface MaxRateOptions {
  /** Where to begin when nothing is known. */
  readonly firstPerSec: number;
  /** No rate above it is tried. */
  readonly mostPerSec: number;
  /** How often the gap between what passed and what did not is halved. */
  readonly halvings: number;
}

const stepUp = 1.5;

/**
 * Steps up from the highest rate that is known to pass until one does not, then halves the gap. A rate that fails is
 * tried twice. A failure elsewhere does not count: another program of the machine may have been in the way.
 */
export async function findMaxRate(
  known: readonly RateTrial[],
  attempt: (ratePerSec: number) => Promise<RateTrial>,
  { firstPerSec, mostPerSec, halvings }: MaxRateOptions,
): Promise<MaxRate> {
  const trials = known.filter(({ passed }) => passed);
  const tryTwice = async (ratePerSec: number): Promise<RateTrial> => {
    const first = await attempt(ratePerSec);
    const trial = first.passed ? first : await attempt(ratePerSec);
    trials.push(trial);
    return trial;
  };
  while (lowestFailure(trials) === null) {
    const passed = highestPass(trials);
    if (passed !== null && passed >= mostPerSec) break;
    await tryTwice(Math.min(mostPerSec, passed === null ? firstPerSec : Math.round(passed * stepUp)));
  }
  for (let halving = 0; halving < halvings; halving++) {
    const failure = lowestFailure(trials);
    if (failure === null) break;
    await tryTwice(Math.round(((highestPass(trials) ?? 0) + failure.ratePerSec) / 2));
  }
  return { ratePerSec: highestPass(trials), bottleneck: lowestFailure(trials)?.bottleneck ?? null };
}

/** Below the lowest failure: a pass above it was luck. */
function highestPass(trials: readonly RateTrial[]): number | null {
  const limit = lowestFailure(trials)?.ratePerSec ?? Infinity;
  const rates = trials
    .filter(({ passed, ratePerSec }) => passed && ratePerSec < limit)
    .map((trial) => trial.ratePerSec);
  return rates.length === 0 ? null : Math.max(...rates);
}

function lowestFailure(trials: readonly RateTrial[]): RateTrial | null {
  const failures = trials.filter(({ passed }) => !passed).sort((a, b) => a.ratePerSec - b.ratePerSec);
  return failures[0] ?? null;
}
