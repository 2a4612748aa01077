/** What becomes of an offer. */
export type OfferOutcome =
  | { readonly kind: 'answered'; readonly sessionId: string; readonly sdp: string }
  /** `status` is the one of HTTP. */
  | { readonly kind: 'refused'; readonly status: 400 | 404 | 409 | 503; readonly error: string };

/** An input or output that WebRTC peers dial, over the edge's HTTP API. */
export interface OfferTaker {
  offer(sdp: string): Promise<OfferOutcome>;
  /** Ends a session at its peer's wish. False for an unknown one. */
  hangUp(sessionId: string): Promise<boolean>;
}

export function refusedOffer(status: 400 | 404 | 409 | 503, error: string): OfferOutcome {
  return { kind: 'refused', status, error };
}
