import { z } from 'zod';
import type { NewTunnelInput, TunnelView } from '../fleet.ts';
import { present } from './present-fields.ts';
import { nameSchema } from './session-routes.ts';

const addressSchema = z.string().min(1).max(300);
export const idSchema = z.string().min(1).max(100);

const relaysSchema = z.union([
  z.literal('auto'),
  z
    .array(z.object({ node_id: idSchema, relay_addr: addressSchema.optional() }))
    .min(1)
    .max(2),
]);

/** Nested ends, or the columns' names beside each other. */
const tunnelFields = {
  id: z.uuid().optional(),
  name: nameSchema,
  description: z.string().max(1_000).optional(),
  protocol: z.enum(['tcp', 'udp']),
  transport: z.string().max(20).optional(),
  mode: z.string().max(20).optional(),
  source: z.object({ node_id: idSchema, listen: addressSchema }).optional(),
  destination: z.object({ node_id: idSchema, forward: addressSchema }).optional(),
  source_node_id: idSchema.optional(),
  source_listen: addressSchema.optional(),
  destination_node_id: idSchema.optional(),
  destination_forward: addressSchema.optional(),
  relays: relaysSchema.optional(),
  region: z.string().max(100).nullable().optional(),
};

export const tunnelChangeSchema = z.object(tunnelFields).partial();
export const newTunnelSchema = z.object(tunnelFields).transform((body, context): NewTunnelInput => {
  const [source, destination] = [endOf(body, 'source'), endOf(body, 'destination')];
  if (source === null || destination === null) {
    const [end, address] = source === null ? ['source', 'listen'] : ['destination', 'forward'];
    context.addIssue({ code: 'custom', path: [end, 'node_id'], message: `${end}: node_id and ${address} are needed` });
    return z.NEVER;
  }
  const { id, name, description, protocol, transport, mode, region } = body;
  const rest = present({ id, description, transport, mode, region });
  return { ...rest, name, protocol, source, destination, relays: namedRelays(body.relays) ?? 'auto' };
});

type Fields = z.output<typeof tunnelChangeSchema>;

function endOf(body: Fields, end: 'source'): NewTunnelInput['source'] | null;
function endOf(body: Fields, end: 'destination'): NewTunnelInput['destination'] | null;
function endOf(body: Fields, end: 'source' | 'destination') {
  if (end === 'source') {
    const { source, source_node_id: node_id, source_listen: listen } = body;
    return source ?? (node_id !== undefined && listen !== undefined ? { node_id, listen } : null);
  }
  const { destination, destination_node_id: node_id, destination_forward: forward } = body;
  return destination ?? (node_id !== undefined && forward !== undefined ? { node_id, forward } : null);
}

/** Nested, and without what was not given. A lone `source_listen` keeps the node it has. */
export function changeOf(body: Fields, current: TunnelView): Partial<NewTunnelInput> {
  const { id, name, description, protocol, transport, mode, relays, region } = body;
  const source = endOf(body, 'source') ?? {
    node_id: body.source_node_id ?? current.source_node_id,
    listen: body.source_listen ?? current.source_listen,
  };
  const destination = endOf(body, 'destination') ?? {
    node_id: body.destination_node_id ?? current.destination_node_id,
    forward: body.destination_forward ?? current.destination_forward,
  };
  return {
    ...present({ id, name, description, protocol, transport, mode, relays: namedRelays(relays), region }),
    source,
    destination,
  };
}

function namedRelays(relays: Fields['relays']): NewTunnelInput['relays'] | undefined {
  return Array.isArray(relays) ? relays.map((relay) => present(relay)) : relays;
}
