import { z } from 'zod';
import {
  actionTunnelId,
  parseAction,
  requiredText,
  unknownAction,
  type CommandAction,
  type ParsedAction,
} from './node-command.ts';

const edgeSchemas = {
  create_tunnel: z.object({
    type: z.literal('create_tunnel'),
    /** The tunnel as in edge.json; the edge's config validates it, so that both doors have the same rules. */
    tunnel: entry('tunnel'),
  }),
  delete_tunnel: z.object({ type: z.literal('delete_tunnel'), tunnel_id: actionTunnelId }),
  list_tunnels: z.object({ type: z.literal('list_tunnels') }),
  /** Flows and outputs as in edge.json; the edge's config validates them. */
  create_flow: z.object({ type: z.literal('create_flow'), flow: entry('flow') }),
  update_flow: z.object({ type: z.literal('update_flow'), flow: entry('flow'), flow_id: z.string().optional() }),
  delete_flow: z.object({ type: z.literal('delete_flow'), flow_id: requiredText('flow_id') }),
  start_flow: z.object({ type: z.literal('start_flow'), flow_id: requiredText('flow_id') }),
  stop_flow: z.object({ type: z.literal('stop_flow'), flow_id: requiredText('flow_id') }),
  restart_flow: z.object({ type: z.literal('restart_flow'), flow_id: requiredText('flow_id') }),
  add_output: z.object({
    type: z.literal('add_output'),
    flow_id: requiredText('flow_id'),
    output: entry('output'),
  }),
  remove_output: z.object({
    type: z.literal('remove_output'),
    flow_id: requiredText('flow_id'),
    output_id: requiredText('output_id'),
  }),
  update_config: z.object({ type: z.literal('update_config'), config: entry('config') }),
};

function entry(name: string) {
  return z.record(z.string(), z.unknown(), { error: `Missing ${name}` });
}

/** What a manager may ask of an edge, beside what every node answers (docs/protocol/manager.md §9). */
export type EdgeAction = z.output<(typeof edgeSchemas)[keyof typeof edgeSchemas]>;

/** Those of them that are about media flows. */
export type FlowAction = Exclude<
  EdgeAction,
  { type: 'create_tunnel' | 'delete_tunnel' | 'list_tunnels' | 'update_config' }
>;

/** Reads an edge's action; a refusal carries the error and code of the ack. Never throws. */
export function parseEdgeAction(action: CommandAction): ParsedAction<EdgeAction> {
  return parseAction<EdgeAction>(edgeSchemas, action) ?? unknownAction('edge', action);
}
