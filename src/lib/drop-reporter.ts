export interface DropReport {
  readonly reason: string;
  readonly count: number;
  readonly windowSecs: number;
}

const windowMs = 60_000;

/** Turns growing counts into reports: the first drop at once, then at most one a minute for each reason. Pure. */
export class DropReporter {
  readonly #reported = new Map<string, { readonly atMs: number; readonly count: number }>();

  /** What is to be reported now, given all counts so far. */
  observe(nowMs: number, counts: Readonly<Record<string, number>>): readonly DropReport[] {
    return Object.entries(counts).flatMap(([reason, count]) => {
      const last = this.#reported.get(reason) ?? { atMs: -Infinity, count: 0 };
      if (count === last.count || nowMs - last.atMs < windowMs) return [];
      this.#reported.set(reason, { atMs: nowMs, count });
      return [{ reason, count: count - last.count, windowSecs: windowMs / 1000 }];
    });
  }
}
