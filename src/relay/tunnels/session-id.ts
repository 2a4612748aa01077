declare const sessionIdBrand: unique symbol;

/**
 * An edge's session, one per QUIC connection; unique in this process and never used again, like the connection's id.
 */
export type SessionId = number & { readonly [sessionIdBrand]: true };

export function toSessionId(connectionId: number): SessionId {
  return connectionId as SessionId;
}

/** How a session that has not identified itself is listed, and may be named in `disconnect_edge`. */
export function sessionLabel(id: SessionId): string {
  return `connection-${id}`;
}
