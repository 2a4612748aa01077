import { rfc3339, type Clock } from '../../lib/clock.ts';

/**
 * `local`: the local program. `machine`: this machine has no address or route to it. `senders`: several local programs
 * send to one port. `key`: what the other edge sent cannot be opened here. The others are what the other edge says of
 * itself: `far`, its `local`; `far-machine`, its `machine`; `far-key`, its `key`.
 */
export type TroubleKind = 'local' | 'machine' | 'senders' | 'key' | 'far' | 'far-machine' | 'far-key';

/** As in REST; times are RFC 3339. */
export interface TroubleReport {
  readonly kind: TroubleKind;
  readonly cause: string;
  readonly count: number;
  readonly since: string;
  readonly last_at: string;
}

/** Times are monotonic: the wall clock may be set while a fault stands. */
interface Trouble {
  readonly sinceMs: number;
  lastMs: number;
  count: number;
  cause: string;
}

/** A datagram that was sent proves nothing while the error about it may still be on its way. */
const calmMs = 2000;
/** Nothing has tried since: a fault that is older than this explains nothing now. */
const forgottenAfterMs = 3_600_000;

/**
 * Faults of one tunnel that last until something works again, or until they are an hour old. Pure but for the clock.
 */
export class Troubles {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly #standing = new Map<TroubleKind, Trouble>();

  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#clock = clock;
  }

  happened(kind: TroubleKind, cause: string): void {
    const nowMs = this.#clock.monotonicMs();
    const trouble = this.#standing.get(kind) ?? { sinceMs: nowMs, lastMs: nowMs, count: 0, cause };
    this.#standing.set(kind, Object.assign(trouble, { lastMs: nowMs, count: trouble.count + 1, cause }));
  }

  /** It worked just now. With `afterCalm` only a fault that is 2 s old ends. Called for each datagram. */
  worked(kind: TroubleKind, afterCalm = true): void {
    if (this.#standing.size === 0) return;
    const trouble = this.#standing.get(kind);
    if (trouble === undefined || (afterCalm && this.#clock.monotonicMs() - trouble.lastMs < calmMs)) return;
    this.#standing.delete(kind);
  }

  report(): readonly TroubleReport[] {
    const nowMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.now() - nowMs;
    for (const [kind, { lastMs }] of this.#standing) {
      if (nowMs - lastMs > forgottenAfterMs) this.#standing.delete(kind);
    }
    return [...this.#standing].map(([kind, { sinceMs, lastMs, count, cause }]) => {
      return { kind, cause, count, since: rfc3339(wallMs + sinceMs), last_at: rfc3339(wallMs + lastMs) };
    });
  }
}
