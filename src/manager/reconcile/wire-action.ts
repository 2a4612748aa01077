import { bindTokensDigest, computeBindToken } from '../../protocol/tunnel/bind-token.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { LegRole, TunnelRow } from '../store/schema.ts';

/** The two secrets of a tunnel, 64 hex digits each. */
export interface TunnelKeys {
  readonly encryptionKey: string;
  readonly bindSecret: string;
}

type TunnelFacts = Pick<
  TunnelRow,
  'id' | 'name' | 'protocol' | 'transport' | 'mode' | 'source_listen' | 'destination_forward'
>;

/**
 * What an edge's config says of the tunnel, secrets left out. `ingress` is the source side: on the wire it is egress.
 */
export function edgeTunnel(tunnel: TunnelFacts, role: LegRole, relayAddrs: readonly string[]): Record<string, unknown> {
  const isSource = role === 'ingress';
  return {
    id: tunnel.id,
    name: tunnel.name,
    protocol: tunnel.protocol,
    transport: tunnel.transport,
    mode: tunnel.mode,
    direction: isSource ? 'egress' : 'ingress',
    local_addr: isSource ? tunnel.source_listen : tunnel.destination_forward,
    relay_addrs: relayAddrs,
  };
}

export function createTunnel(entry: Readonly<Record<string, unknown>>, keys: TunnelKeys): CommandAction {
  const secrets = { tunnel_encryption_key: keys.encryptionKey, tunnel_bind_secret: keys.bindSecret };
  return { type: 'create_tunnel', tunnel: { ...entry, enabled: true, ...secrets } };
}

/** The name is for those who look at the relay; other relays than ours do not know it. */
export function authorizeTunnel({ id, name }: Pick<TunnelRow, 'id' | 'name'>, bindSecret: string): CommandAction {
  const { ingress, egress } = tokensOf(id, bindSecret);
  const tokens = { ingress_token: ingress, egress_token: egress };
  return { type: 'authorize_tunnel', tunnel_id: id, ...tokens, tunnel_name: name };
}

/** What `list_authorized` shows of the tunnel's tokens. */
export function relayDigest(tunnelId: string, bindSecret: string): string {
  const { ingress, egress } = tokensOf(tunnelId, bindSecret);
  return bindTokensDigest(ingress, egress);
}

/** In this order; the first may find nothing. */
export function forgetOnRelay(tunnelId: string): readonly CommandAction[] {
  return [
    { type: 'close_tunnel', tunnel_id: tunnelId },
    { type: 'revoke_tunnel', tunnel_id: tunnelId },
  ];
}

function tokensOf(tunnelId: string, bindSecret: string): { readonly ingress: string; readonly egress: string } {
  const id = parseTunnelId(tunnelId);
  if (id === null) throw new RangeError(`${tunnelId} is no tunnel id`);
  return { ingress: computeBindToken(bindSecret, id, 'ingress'), egress: computeBindToken(bindSecret, id, 'egress') };
}
