import { REFUSAL_REASONS, type RefusalReason } from './recovery-policy.ts';
import type { RecoveryNews } from './recovery-runner.ts';

const plainOutcomes = ['spawned', 'debounced', 'reaped_zero', 'reaped_nonzero', 'killed', 'spawn_failed'] as const;
type Outcome = (typeof plainOutcomes)[number] | `refused_${RefusalReason}`;

/** How recoveries ended, for metrics. */
export class RecoveryCounters {
  readonly outcomes = new Map<Outcome, number>(
    [...plainOutcomes, ...REFUSAL_REASONS.map((reason): Outcome => `refused_${reason}`)].map((outcome) => [outcome, 0]),
  );
  durationNsSum = 0;
  durations = 0;

  count(news: RecoveryNews): void {
    const outcome = outcomeOf(news);
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (news.kind !== 'completed') return;
    this.durationNsSum += news.durationNs;
    this.durations += 1;
  }

  refused(reason: RefusalReason): number {
    return this.outcomes.get(`refused_${reason}`) ?? 0;
  }
}

function outcomeOf(news: RecoveryNews): Outcome {
  switch (news.kind) {
    case 'refused':
      return `refused_${news.reason}`;
    case 'spawn-failed':
      return 'spawn_failed';
    case 'completed':
      return news.outcome;
    case 'spawned':
    case 'debounced':
      return news.kind;
  }
}
