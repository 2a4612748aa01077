import { z } from 'zod';
import { actionTunnelId, parseAction, unknownAction, type CommandAction, type ParsedAction } from './node-command.ts';

const edgeSchemas = {
  create_tunnel: z.object({
    type: z.literal('create_tunnel'),
    /** The tunnel as in edge.json; the edge's config validates it, so that both doors have the same rules. */
    tunnel: z.record(z.string(), z.unknown(), { error: 'Missing tunnel' }),
  }),
  delete_tunnel: z.object({ type: z.literal('delete_tunnel'), tunnel_id: actionTunnelId }),
  list_tunnels: z.object({ type: z.literal('list_tunnels') }),
};

/** What a manager may ask of an edge, beside what every node answers (docs/protocol/manager.md §9). */
export type EdgeAction = z.output<(typeof edgeSchemas)[keyof typeof edgeSchemas]>;

/** Reads an edge's action; a refusal carries the error and code of the ack. Never throws. */
export function parseEdgeAction(action: CommandAction): ParsedAction<EdgeAction> {
  return parseAction<EdgeAction>(edgeSchemas, action) ?? unknownAction('edge', action);
}
