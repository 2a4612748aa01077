import { tunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { RelayConnectionEnd } from './relay-connection.ts';
import { noClaim } from './relay-dialler.ts';

/**
 * What became of the bind at one relay. A failure that repeats is reported once, until the relay has taken the bind.
 */
export type RelayChange =
  | { readonly kind: 'connected'; readonly peer: 'absent' | 'present' }
  | { readonly kind: 'peer-gone'; readonly reason: string }
  | { readonly kind: 'disconnected'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: string };

/** Reasons of a relay where another edge has the leg and is alive. */
const legReasons: ReadonlySet<string> = new Set([tunnelDownReason.legHeld, tunnelDownReason.replacedTooOften]);

/** How the bind at one relay stands, over all attempts. Each method returns the change to report, or null. */
export class BindOutcome {
  readonly #reported = new Set<'refused' | 'failed'>();
  #refused = false;
  #yields = false;
  #lossReported = false;
  #lastProblem: string | null = null;

  get refused(): boolean {
    return this.#refused;
  }

  /** Another edge has the leg. Taking it back would make two edges take it from each other without end. */
  get yields(): boolean {
    return this.#yields;
  }

  /** For people; null while the relay has the bind. */
  get lastProblem(): string | null {
    return this.#lastProblem;
  }

  bound(peer: 'absent' | 'present'): RelayChange {
    this.#reported.clear();
    this.#refused = false;
    this.#yields = false;
    this.#lossReported = false;
    this.#lastProblem = null;
    return { kind: 'connected', peer };
  }

  /** The connection stays open, so its end must not be reported as a second loss. */
  replaced(reason: string, canClaim: boolean): RelayChange {
    this.#lossReported = true;
    this.#yields = true;
    this.#lastProblem = canClaim ? reason : `${reason}; ${noClaim}`;
    return { kind: 'disconnected', reason };
  }

  refusedFor(reason: string): RelayChange | null {
    this.#lastProblem = reason;
    this.#refused = true;
    if (legReasons.has(reason)) this.#yields = true;
    return this.#once({ kind: 'refused', reason });
  }

  ended(end: Exclude<RelayConnectionEnd, { kind: 'stopped' }>): RelayChange | null {
    const { kind, reason } = end;
    if (kind === 'refused') return this.refusedFor(reason);
    this.#lastProblem = reason;
    this.#refused = false;
    if (!end.held) return this.#once({ kind: 'failed', error: reason });
    const change: RelayChange | null = this.#lossReported ? null : { kind: 'disconnected', reason };
    this.#lossReported = false;
    return change;
  }

  #once(change: Extract<RelayChange, { kind: 'refused' | 'failed' }>): RelayChange | null {
    if (this.#reported.has(change.kind)) return null;
    this.#reported.add(change.kind);
    return change;
  }
}
