import type { Direction } from '../../protocol/tunnel/leg.ts';
import type { TunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';

/** The last bind of a leg that was refused, for people who ask why a tunnel does not come up. */
export interface Refusal {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly reason: TunnelDownReason;
  readonly edgeId: string | null;
  readonly remoteAddr: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly atMs: number;
}

/** Remembers the latest refusal of each leg, of as many legs as it may; the oldest go first. */
export class RefusalLog {
  readonly #latest = new Map<string, Refusal>();
  readonly #maxEntries: number;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  add(refusal: Refusal): void {
    const key = legKey(refusal.tunnelId, refusal.direction);
    this.#latest.delete(key);
    this.#latest.set(key, refusal);
    const oldest = this.#latest.keys().next();
    if (this.#latest.size > this.#maxEntries && oldest.done !== true) this.#latest.delete(oldest.value);
  }

  /** A bind of this leg has succeeded: what was refused before no longer explains anything. */
  forget(tunnelId: TunnelId, direction: Direction): void {
    this.#latest.delete(legKey(tunnelId, direction));
  }

  /** Oldest first. */
  list(): readonly Refusal[] {
    return [...this.#latest.values()];
  }
}

function legKey(tunnelId: TunnelId, direction: Direction): string {
  return `${tunnelId} ${direction}`;
}
