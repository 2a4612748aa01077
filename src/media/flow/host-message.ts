import type { MessagePort } from 'node:worker_threads';
import type { MediaEvent } from './flow-event.ts';
import type { FlowSettings, OutputSettings } from './flow-settings.ts';
import type { OfferOutcome } from './offer-taker.ts';
import type { FlowReport } from './flow-stats.ts';

/** What the main thread asks of the worker; each is answered by `id`. */
export type HostOrder =
  | { readonly kind: 'start-flow'; readonly flow: FlowSettings }
  | { readonly kind: 'stop-flow'; readonly flowId: string }
  | { readonly kind: 'add-output'; readonly flowId: string; readonly output: OutputSettings }
  | { readonly kind: 'remove-output'; readonly flowId: string; readonly outputId: string }
  | { readonly kind: 'stop' };

/** A WebRTC peer at the edge's HTTP API. */
export interface RtcDoor {
  readonly flowId: string;
  /** Null for the input. */
  readonly outputId: string | null;
}

export type HostQuestion =
  | { readonly kind: 'offer'; readonly door: RtcDoor; readonly sdp: string }
  | { readonly kind: 'hang-up'; readonly door: RtcDoor; readonly sessionId: string };

export type HostRequest =
  | { readonly id: number; readonly question: HostQuestion }
  | { readonly id: number; readonly order: HostOrder }
  /** The way into a tunnel that flows may name in any of these ways; datagrams go both ways over the port. */
  | { readonly tunnels: readonly string[]; readonly port: MessagePort };

/** What the worker says. */
export type HostMessage =
  /** `error` is null where it was done. */
  | { readonly kind: 'answer'; readonly id: number; readonly error: string | null }
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: OfferOutcome | boolean }
  | { readonly kind: 'event'; readonly flowId: string; readonly event: MediaEvent }
  | { readonly kind: 'reports'; readonly reports: readonly FlowReport[] };
