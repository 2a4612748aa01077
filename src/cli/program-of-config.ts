import { asJsonObject } from '../protocol/json.ts';

export type ProgramKind = 'relay' | 'edge';

/** Keys that only an edge's config has, at the top or in a tunnel. */
const edgeKeys = ['edge_id', 'api_addr'];
const edgeTunnelKeys = ['direction', 'local_addr', 'relay_addr', 'relay_addrs', 'tunnel_encryption_key'];
const relayKeys = ['quic_addr', 'quic_addrs', 'api_addrs', 'require_bind_auth', 'limits', 'public_quic_addr'];

/** Which program a config file is for, told by its keys; in doubt a relay. */
export function programOf(content: unknown): ProgramKind {
  const fields = asJsonObject(content) ?? {};
  if (relayKeys.some((key) => key in fields)) return 'relay';
  const tunnels: readonly unknown[] = Array.isArray(fields['tunnels']) ? fields['tunnels'] : [];
  const isEdgeTunnel = tunnels.some((tunnel) => edgeTunnelKeys.some((key) => key in (asJsonObject(tunnel) ?? {})));
  return isEdgeTunnel || edgeKeys.some((key) => key in fields) ? 'edge' : 'relay';
}
