/**
 * Reasons that our relay gives in `tunnel_down` (docs/protocol/tunnel.md §2). A received reason is any text, since
 * relays differ; these are what an edge may compare it with.
 */
export const tunnelDownReason = {
  bindAuthenticationFailed: 'bind authentication failed',
  perConnectionLimit: 'per-connection tunnel limit exceeded',
  peerDisconnected: 'peer disconnected',
  peerUnbound: 'peer unbound',
  closedByManager: 'tunnel closed by manager',
  deletedViaRest: 'tunnel deleted via relay REST API',
  notAuthorized: 'tunnel not authorised',
  protocolMismatch: 'protocol mismatch',
  protocolVersionTooOld: 'protocol version too old',
  legHeld: 'leg held by a live edge',
  revoked: 'tunnel revoked',
  bothLegsOnOneConnection: 'both legs on one connection',
  replaced: 'replaced by a new connection',
  replacedTooOften: 'leg is being replaced too often',
  relayTunnelLimit: 'tunnel limit of the relay exceeded',
} as const;

export type TunnelDownReason = (typeof tunnelDownReason)[keyof typeof tunnelDownReason];
