import type { FlowSettings } from '../../media/flow/flow-settings.ts';
import type { OfferOutcome } from '../../media/flow/offer-taker.ts';

/** Where WebRTC peers of one input or output come in. */
export interface RtcDoorway {
  /** The token that a peer must present; null: none. */
  readonly bearerToken: string | null;
  offer(sdp: string): Promise<OfferOutcome>;
  /** False for an unknown session. */
  hangUp(sessionId: string): Promise<boolean>;
}

interface RtcPlace {
  /** Null for the input. */
  readonly outputId: string | null;
  readonly bearerToken: string | null;
}

/** The part of a flow that such peers dial. Viewers need not name the output where the flow has one WHEP server. */
export function rtcPlaceOf(
  { input, outputs }: FlowSettings,
  kind: 'whip' | 'whep',
  outputId: string | null,
): RtcPlace | null {
  if (kind === 'whip') return input.type === 'webrtc' ? { outputId: null, bearerToken: input.bearerToken } : null;
  for (const output of outputs) {
    if (output.type !== 'webrtc' || output.mode !== 'whep_server') continue;
    if (outputId === null || outputId === output.id) {
      return { outputId: output.id, bearerToken: output.bearerToken };
    }
  }
  return null;
}
