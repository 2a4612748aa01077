/** WHIP takes a publisher (RFC 9725), WHEP viewers (draft-ietf-wish-whep). */
export type RtcKind = 'whip' | 'whep';

export interface RtcPath {
  readonly kind: RtcKind;
  /** Where offers are posted; `{flow_id}` and `{output_id}` stand for ids. */
  readonly offers: string;
  /** A session of those, `{session_id}`. */
  readonly session: string;
}

/** A browser's offer has some 6 kB. */
export const mostOfferBytes = 65_536;

export const rtcPaths: readonly RtcPath[] = [
  {
    kind: 'whip',
    offers: '/api/v1/flows/{flow_id}/whip',
    session: '/api/v1/flows/{flow_id}/whip/session/{session_id}',
  },
  {
    kind: 'whep',
    offers: '/api/v1/flows/{flow_id}/whep',
    session: '/api/v1/flows/{flow_id}/whep/session/{session_id}',
  },
  {
    kind: 'whep',
    offers: '/api/v1/flows/{flow_id}/whep/{output_id}',
    session: '/api/v1/flows/{flow_id}/whep/{output_id}/{session_id}',
  },
];
