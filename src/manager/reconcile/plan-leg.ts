import type { LegRole, LegWant, PushStatus } from '../store/schema.ts';

/** A leg as it is stored, with what the plan must know of its tunnel or flow. */
export interface PlanLeg {
  readonly id: string;
  readonly resource: 'tunnel' | 'flow';
  /** The tunnel's id, or the flow's id in the node's own config. */
  readonly resourceId: string;
  readonly name: string;
  readonly role: LegRole;
  readonly want: LegWant;
  readonly generation: number;
  readonly pushedGeneration: number | null;
  readonly status: PushStatus;
  readonly error: string | null;
  readonly errorCode: string | null;
  readonly failedForMs: number;
  /** False while the manager does not know the tunnel's keys: it has nothing to push then. */
  readonly pushable: boolean;
  /**
   * The change is held back for a while. Either the relay of an edge leg does not know the tunnel yet, or the edges
   * still use a relay leg that goes.
   */
  readonly waitsForOthers: boolean;
  /** On a relay: the digest of the tokens that it should hold; null elsewhere. */
  readonly digest: string | null;
  /** What the node's config should say of it, secrets left out; null on a relay and for absent legs. */
  readonly desired: Readonly<Record<string, unknown>> | null;
}

export type PushCause = 'replay' | 'direct' | 'retry';

export function isRelayRole(role: LegRole): boolean {
  return role === 'relay' || role === 'secondary_relay';
}
