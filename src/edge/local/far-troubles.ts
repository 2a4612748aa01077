import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { TroubleKind, TroubleReport } from './troubles.ts';

/** Troubles that the other edge reports of its own end (docs/protocol/tunnel.md §2.9), in the words of this end. */
const kinds: ReadonlyMap<string, TroubleKind> = new Map([
  ['local', 'far'],
  ['machine', 'far-machine'],
  ['key', 'far-key'],
]);

/** What is wrong at the other edge's end, for as long as that edge reports it. */
export class FarTroubles {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  /** Monotonic. */
  readonly #sinceMs = new Map<TroubleKind, number>();

  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** `reported`: all troubles of the other edge now. Words that are not known here are left out. */
  update(reported: readonly string[]): void {
    const standing = new Set(reported.map((word) => kinds.get(word)));
    for (const kind of this.#sinceMs.keys()) if (!standing.has(kind)) this.#sinceMs.delete(kind);
    for (const kind of standing) {
      if (kind !== undefined && !this.#sinceMs.has(kind)) this.#sinceMs.set(kind, this.#clock.monotonicMs());
    }
  }

  report(): readonly TroubleReport[] {
    const nowMs = this.#clock.now();
    const wallMs = nowMs - this.#clock.monotonicMs();
    const last_at = rfc3339(nowMs);
    return [...this.#sinceMs].map(([kind, sinceMs]) => {
      return { kind, cause: 'the other edge says so', count: 1, since: rfc3339(wallMs + sinceMs), last_at };
    });
  }
}
