/**
 * The role an edge binds with, in the wire's words: `egress` listens locally and opens the data streams, `ingress`
 * accepts them and dials a local address (docs/protocol/tunnel.md, Words). A manager's UI uses the opposite words.
 */
export type Direction = 'ingress' | 'egress';

/** What a tunnel carries: `tcp` as QUIC streams, `udp` as QUIC datagrams. */
export type TunnelProtocol = 'tcp' | 'udp';

export const DIRECTIONS = ['ingress', 'egress'] as const satisfies readonly Direction[];

export const TUNNEL_PROTOCOLS = ['tcp', 'udp'] as const satisfies readonly TunnelProtocol[];

/** The direction of the leg that a leg of this direction pairs with. */
export function oppositeDirection(direction: Direction): Direction {
  return direction === 'ingress' ? 'egress' : 'ingress';
}
