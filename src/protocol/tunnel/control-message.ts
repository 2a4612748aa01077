import { z } from 'zod';
import { isHex64 } from './bind-token.ts';
import { encodeFrame } from './frame.ts';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { DIRECTIONS, TUNNEL_PROTOCOLS } from './leg.ts';
import { MAX_EDGE_ID_BYTES, MAX_FEATURES, MAX_PEER_TEXT_CHARS, MAX_TROUBLES } from './limits.ts';
import { parseTunnelId } from './tunnel-id.ts';

/** What a control frame turned out to be. Only `message` has an effect; the others are logged and the session lives. */
export type ParsedMessage<M> =
  | { readonly kind: 'message'; readonly message: M }
  /** A type that this version does not know (forward compatibility); cut to 256 characters. */
  | { readonly kind: 'unknown'; readonly type: string }
  /** Broken JSON or a known type with a bad field. The reason names the field and never quotes its value. */
  | { readonly kind: 'malformed'; readonly reason: string };

const u32 = z.int().min(0).max(0xffff_ffff);
const peerText = z.string().transform((text) => inOneLine(text.slice(0, MAX_PEER_TEXT_CHARS)));
const edgeId = z
  .string()
  .refine((id) => Buffer.byteLength(id) <= MAX_EDGE_ID_BYTES, { error: 'longer than 64 bytes' })
  .transform(inOneLine)
  .refine((id) => id !== '', { error: 'empty' });
const tunnelId = z.string().transform((text, context) => {
  const id = parseTunnelId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'not a UUID' });
  return z.NEVER;
});
// Our own extensions: another program's idea of the same field must not cost it its hello.
const features = z
  .array(peerText)
  .transform((names) => names.slice(0, MAX_FEATURES))
  .catch([]);
const bindChallenge = z.string().refine(isHex64).optional().catch(undefined);

const tunnelTrouble = z.object({
  type: z.literal('tunnel_trouble'),
  tunnel_id: tunnelId,
  troubles: z.array(peerText).transform((kinds) => kinds.slice(0, MAX_TROUBLES)),
});

// The order of fields is the order on the wire.
const edgeSchemas = {
  hello: z.object({ type: z.literal('hello'), protocol_version: u32, software_version: peerText, features }),
  identify: z.object({ type: z.literal('identify'), edge_id: edgeId }),
  tunnel_bind: z.object({
    type: z.literal('tunnel_bind'),
    tunnel_id: tunnelId,
    direction: z.enum(DIRECTIONS),
    protocol: z.enum(TUNNEL_PROTOCOLS),
    bind_token: z.string().optional(),
    bind_proof: z.string().optional(),
    if_free: z.boolean().optional().catch(undefined),
  }),
  tunnel_unbind: z.object({ type: z.literal('tunnel_unbind'), tunnel_id: tunnelId }),
  ping: z.object({ type: z.literal('ping') }),
  tunnel_trouble: tunnelTrouble,
};

const relaySchemas = {
  hello_ack: z.object({
    type: z.literal('hello_ack'),
    protocol_version: u32,
    software_version: peerText,
    features,
    bind_challenge: bindChallenge,
  }),
  tunnel_ready: z.object({ type: z.literal('tunnel_ready'), tunnel_id: tunnelId }),
  tunnel_waiting: z.object({ type: z.literal('tunnel_waiting'), tunnel_id: tunnelId }),
  tunnel_down: z.object({ type: z.literal('tunnel_down'), tunnel_id: tunnelId, reason: peerText }),
  pong: z.object({ type: z.literal('pong') }),
  tunnel_trouble: tunnelTrouble,
};

/**
 * Edge → relay (docs/protocol/tunnel.md §2). `features`, `bind_proof` and `if_free` are ours; an absent `features`
 * reads as empty.
 */
export type EdgeMessage = z.output<(typeof edgeSchemas)[keyof typeof edgeSchemas]>;

/**
 * Relay → edge (docs/protocol/tunnel.md §2). `tunnel_trouble`, `features` and `bind_challenge` are ours. A bad
 * challenge reads as none.
 */
export type RelayMessage = z.output<(typeof relaySchemas)[keyof typeof relaySchemas]>;

/** One message of a union by its type, such as `MessageOf<EdgeMessage, 'tunnel_bind'>`. */
export type MessageOf<M extends { type: string }, T extends M['type']> = Extract<M, { type: T }>;

/** Reads the payload of a control frame from an edge. Never throws. */
export function parseEdgeMessage(payload: Uint8Array): ParsedMessage<EdgeMessage> {
  return parseMessage<EdgeMessage>(edgeSchemas, payload);
}

/** Reads the payload of a frame from a relay, on the control stream or a uni stream. Never throws. */
export function parseRelayMessage(payload: Uint8Array): ParsedMessage<RelayMessage> {
  return parseMessage<RelayMessage>(relaySchemas, payload);
}

/** A message as one frame with its length prefix, to be written in one write. Empty `features` are left out. */
export function encodeEdgeMessage(message: EdgeMessage): Buffer {
  return encodeFrame(inWireOrder(message, edgeSchemas[message.type].shape));
}

/** A message as one frame with its length prefix, to be written in one write. Empty `features` are left out. */
export function encodeRelayMessage(message: RelayMessage): Buffer {
  return encodeFrame(inWireOrder(message, relaySchemas[message.type].shape));
}

function parseMessage<M>(schemas: Readonly<Record<string, z.ZodType<M>>>, payload: Uint8Array): ParsedMessage<M> {
  const fields = asJsonObject(parseJson(payload));
  if (fields === null) return { kind: 'malformed', reason: 'not a JSON object' };
  const type = fields['type'];
  if (typeof type !== 'string') return { kind: 'malformed', reason: 'no type' };
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (schema === undefined) return { kind: 'unknown', type: type.slice(0, MAX_PEER_TEXT_CHARS) };
  const parsed = schema.safeParse(fields);
  if (parsed.success) return { kind: 'message', message: parsed.data };
  return { kind: 'malformed', reason: `${type}: ${describe(parsed.error)}` };
}

/** A peer's text stands in lines and tables of ours, where a line end in it could pass for a word of the program. */
function inOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '');
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ');
}

function inWireOrder(message: object, shape: object): object {
  const values = new Map(Object.entries(message));
  const present = Object.keys(shape)
    .map((name): [string, unknown] => [name, values.get(name)])
    .filter(
      ([name, value]) => value !== undefined && !(name === 'features' && Array.isArray(value) && value.length === 0),
    );
  return Object.fromEntries(present);
}
