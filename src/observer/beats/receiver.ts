import type { ObserverEvent } from '../slots/observer-event.ts';

/** A source of beats. */
export interface Receiver {
  /** Takes in what has arrived. Returns false when the limit of one turn left some behind. */
  drain(): boolean;
  /** Resolves once everything that was sent before the call has been taken in. Rejects when it is stopped. */
  takenIn(): Promise<void>;
  /** Beats that this side lost, since the start. */
  readonly lost: number;
  /** How long the oldest beat of the last drain had waited on this side. */
  readonly lagNs: number;
  /** Times that beats may have been refused because too many waited, since the start. */
  readonly fullQueues: number;
  stop(): Promise<void>;
}

export type EventSink = (event: ObserverEvent) => void;
