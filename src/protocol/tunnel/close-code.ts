/** QUIC application close code of every deliberate close, on both sides; the reason's text carries the meaning. */
export const CLOSE_CODE = 0;

/** Why a connection is closed, as sent in CONNECTION_CLOSE. The first two are words that existing peers know. */
export const closeReason = {
  perIpCap: 'per-ip connection cap exceeded',
  disconnectedByManager: 'disconnected by manager',
  relayShuttingDown: 'relay shutting down',
  protocolVersionTooOld: 'protocol version too old',
  overloaded: 'relay overloaded',
  noControlStream: 'control stream not opened in time',
  controlStreamEnded: 'control stream ended',
  controlStreamNotRead: 'control stream not read',
  noBind: 'no tunnel bound in time',
  frameTooLarge: 'control frame too large',
  /** Every bind of the connection was refused; edges reconnect with back-off only when it is closed. */
  bindRefused: 'bind refused',
  /** A tunnel ended for good; edges find out only by reconnecting. */
  tunnelEnded: 'tunnel ended',
  /** The edge did not answer a PING, or sent nothing for two keep-alives, when another one claimed a leg. */
  noSignOfLife: 'no sign of life',
  internalError: 'internal error',
  edgeShuttingDown: 'edge shutting down',
} as const;

export type CloseReason = (typeof closeReason)[keyof typeof closeReason];

/**
 * Codes of RESET_STREAM and STOP_SENDING that the relay itself makes (docs/protocol/tunnel.md §3); others are a peer's,
 * passed on.
 */
export const streamCode = {
  noPeer: 1,
  notALeg: 2,
  legGone: 3,
  badStreamHeader: 4,
  wrongProtocolOrDirection: 5,
  shuttingDown: 6,
  overload: 7,
} as const;

export type StreamCode = (typeof streamCode)[keyof typeof streamCode];

const streamCodeMeanings: Readonly<Record<StreamCode, string>> = {
  1: 'no peer',
  2: 'not a leg of this tunnel',
  3: 'leg gone',
  4: 'bad or late stream header',
  5: 'wrong protocol or direction',
  6: 'shutting down',
  7: 'overload',
};

/** The meaning of a code that the relay makes; null for the codes of applications. */
export function streamCodeMeaning(code: number): string | null {
  return isStreamCode(code) ? streamCodeMeanings[code] : null;
}

function isStreamCode(code: number): code is StreamCode {
  return code in streamCodeMeanings;
}
