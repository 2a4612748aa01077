import { z } from 'zod';
import { MAX_TUNNEL_NAME_CHARS } from './limits.ts';
import {
  actionTunnelId,
  parseAction,
  requiredText,
  unknownAction,
  type CommandAction,
  type ParsedAction,
} from './node-command.ts';

const relaySchemas = {
  authorize_tunnel: z.object({
    type: z.literal('authorize_tunnel'),
    tunnel_id: actionTunnelId,
    ingress_token: requiredText('ingress_token'),
    egress_token: requiredText('egress_token'),
    // Added by Adit, for people: a name that cannot be used must not keep the tunnel closed.
    tunnel_name: z.string().min(1).max(MAX_TUNNEL_NAME_CHARS).optional().catch(undefined),
  }),
  revoke_tunnel: z.object({ type: z.literal('revoke_tunnel'), tunnel_id: actionTunnelId }),
  close_tunnel: z.object({ type: z.literal('close_tunnel'), tunnel_id: actionTunnelId }),
  disconnect_edge: z.object({ type: z.literal('disconnect_edge'), edge_id: requiredText('edge_id') }),
  list_tunnels: z.object({ type: z.literal('list_tunnels') }),
  list_edges: z.object({ type: z.literal('list_edges') }),
  list_authorized: z.object({ type: z.literal('list_authorized') }),
};

/** What a manager may ask of a relay, beside what every node answers (docs/protocol/manager.md §4). */
export type RelayAction = z.output<(typeof relaySchemas)[keyof typeof relaySchemas]>;

/** Reads a relay's action; a refusal carries the error and code of the ack. Never throws. */
export function parseRelayAction(action: CommandAction): ParsedAction<RelayAction> {
  return parseAction<RelayAction>(relaySchemas, action) ?? unknownAction('relay', action);
}
