import type { DriftKind, DriftResource, NodeKind, Severity } from '../store/schema.ts';
import type { PlanLeg, PushCause } from './plan-leg.ts';

export interface Difference {
  readonly kind: DriftKind;
  readonly resource: DriftResource;
  readonly resourceId: string;
  readonly name: string;
  readonly fields: readonly { readonly path: string; readonly desired: unknown; readonly actual: unknown }[];
  /** Equal for equal differences; another value makes another one. */
  readonly fingerprint: string;
}

export interface OpenDrift {
  readonly resource: DriftResource;
  readonly resourceId: string;
  readonly fingerprint: string;
  readonly mutedFingerprint: string | null;
}

export type PlanInput =
  | {
      readonly kind: 'online';
      readonly nodeKind: NodeKind;
      readonly legs: readonly PlanLeg[];
      readonly drift: readonly OpenDrift[];
    }
  | { readonly kind: 'offline' }
  /**
   * An operator changed it, or the store knows better than the plan. `voidPush`: this push was never sent, because the
   * leg had changed before it began, and no answer will come.
   */
  | { readonly kind: 'leg-changed'; readonly leg: PlanLeg; readonly voidPush?: number }
  | { readonly kind: 'leg-gone'; readonly legId: string }
  /** The others of a tunnel are done, failed, or are not there: its legs here wait no longer. */
  | { readonly kind: 'released'; readonly tunnelId: string }
  | {
      readonly kind: 'answer';
      readonly legId: string;
      readonly pushId: number;
      readonly ok: boolean;
      readonly error?: string;
      readonly errorCode?: string | null;
    }
  /** Digests by tunnel id; null where the relay does not know the command. */
  | { readonly kind: 'authorized'; readonly digests: ReadonlyMap<string, string> | null }
  /** What `get_config` brought; null where it could not be had or read. */
  | { readonly kind: 'config'; readonly content: unknown }
  | { readonly kind: 'fetch-failed' }
  /** An operator resolved differences: these are still open. */
  | { readonly kind: 'drift-changed'; readonly open: readonly OpenDrift[] }
  | { readonly kind: 'tick' }
  | { readonly kind: 'compare-now' };

export interface PlanEvent {
  readonly category: `config_sync.${'push_succeeded' | 'push_failed' | `drift_${DriftKind}`}`;
  readonly severity: Severity;
  readonly message: string;
  readonly resource: DriftResource;
  readonly resourceId: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type PlanAction =
  | { readonly kind: 'push'; readonly leg: PlanLeg; readonly pushId: number; readonly cause: PushCause }
  | { readonly kind: 'fetch-config' }
  | { readonly kind: 'list-authorized' }
  /** `pending` when an operator changed it meanwhile. */
  | {
      readonly kind: 'record-pushed';
      readonly legId: string;
      readonly pushId: number;
      readonly generation: number;
      readonly status: 'pushed' | 'pending';
    }
  | {
      readonly kind: 'record-failed';
      readonly legId: string;
      readonly pushId: number;
      readonly error: string;
      readonly errorCode: string | null;
      readonly status: 'failed' | 'pending';
    }
  /** A relay holds it already: nothing was pushed. */
  | { readonly kind: 'record-confirmed'; readonly leg: PlanLeg }
  /** The node does not have it any more. */
  | { readonly kind: 'record-absent'; readonly leg: PlanLeg }
  | { readonly kind: 'record-failed-for'; readonly leg: PlanLeg; readonly failedForMs: number }
  /** All legs that were being pushed, and on a relay all that were pushed, are pending. */
  | { readonly kind: 'record-left' }
  | { readonly kind: 'raise'; readonly event: PlanEvent }
  | { readonly kind: 'open-drift'; readonly difference: Difference }
  | { readonly kind: 'close-drift'; readonly resource: DriftResource; readonly resourceId: string }
  | { readonly kind: 'compared'; readonly possible: boolean }
  | { readonly kind: 'unreadable-config' }
  /** Failed for too long while the node was online. */
  | { readonly kind: 'ghost'; readonly leg: PlanLeg };

export interface PlanSettings {
  readonly settleMs: number;
  readonly retryMs: number;
  /** 0: never. */
  readonly ghostAfterMs: number;
  readonly maxInFlight: { readonly edge: number; readonly relay: number };
}
