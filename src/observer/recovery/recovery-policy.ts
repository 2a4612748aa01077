import type { BeatOrigin } from '../slots/observer-event.ts';

export type RefusalReason =
  | 'cross_namespace_agent'
  | 'unauthenticated_transport'
  | 'socket_mode_only'
  | 'debounce_capacity'
  | 'outstanding_capacity';

export const REFUSAL_REASONS: readonly RefusalReason[] = [
  ...(['cross_namespace_agent', 'unauthenticated_transport', 'socket_mode_only'] as const),
  ...(['debounce_capacity', 'outstanding_capacity'] as const),
];

export type RecoveryDecision =
  | { readonly kind: 'spawn' }
  /** Too early, or a child for that pid still runs; `retryNs` is when to ask again, null when the child ends. */
  | { readonly kind: 'debounced'; readonly retryNs: number | null }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

export interface RecoveryPolicySettings {
  readonly debounceNs: number;
  /** Children at once. */
  readonly maxChildren: number;
  readonly ownNamespace: bigint | null;
  readonly allowCrossNamespace: boolean;
}

export interface StalledAgent {
  readonly pid: number;
  readonly origin: BeatOrigin;
  readonly nsInode: bigint | null;
}

const maxLedger = 4096;

/** Whether a silent agent gets its recovery command now (docs/observer.md §8). Pure: time comes with the question. */
export class RecoveryPolicy {
  #settings: RecoveryPolicySettings;
  readonly #startedNs = new Map<number, number>();
  readonly #running = new Set<number>();

  constructor(settings: RecoveryPolicySettings) {
    this.#settings = settings;
  }

  /** What was started and runs stays known. */
  reconfigure(settings: RecoveryPolicySettings): void {
    this.#settings = settings;
  }

  decide(agent: StalledAgent, nowNs: number): RecoveryDecision {
    const refusal = this.#refusal(agent);
    if (refusal !== null) return { kind: 'refused', reason: refusal };
    if (this.#running.has(agent.pid)) return { kind: 'debounced', retryNs: null };
    const startedNs = this.#startedNs.get(agent.pid);
    if (startedNs !== undefined && nowNs - startedNs < this.#settings.debounceNs) {
      return { kind: 'debounced', retryNs: startedNs + this.#settings.debounceNs };
    }
    if (startedNs === undefined && !this.#hasLedgerRoom(nowNs)) return { kind: 'refused', reason: 'debounce_capacity' };
    if (this.#running.size >= this.#settings.maxChildren) return { kind: 'refused', reason: 'outstanding_capacity' };
    return { kind: 'spawn' };
  }

  /** A command was started, or could not be: the debounce counts from here either way. */
  started(pid: number, nowNs: number): void {
    this.#startedNs.delete(pid);
    this.#startedNs.set(pid, nowNs);
    this.#running.add(pid);
  }

  ended(pid: number): void {
    this.#running.delete(pid);
  }

  #refusal({ origin, nsInode }: StalledAgent): RefusalReason | null {
    const { ownNamespace, allowCrossNamespace } = this.#settings;
    if (nsInode !== null && nsInode !== ownNamespace && !allowCrossNamespace) return 'cross_namespace_agent';
    if (origin === 'NetworkUnverified') return 'unauthenticated_transport';
    return origin === 'SocketModeOnly' ? 'socket_mode_only' : null;
  }

  /** Entries that are older than the debounce say nothing any more. */
  #hasLedgerRoom(nowNs: number): boolean {
    if (this.#startedNs.size < maxLedger) return true;
    for (const [pid, startedNs] of this.#startedNs) {
      if (nowNs - startedNs >= this.#settings.debounceNs && !this.#running.has(pid)) this.#startedNs.delete(pid);
    }
    return this.#startedNs.size < maxLedger;
  }
}
