import { z } from 'zod';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { MAX_CREDENTIAL_CHARS } from '../../protocol/node/limits.ts';
import { MAX_PEER_TEXT_CHARS } from '../../protocol/tunnel/limits.ts';
import type { NodeKind } from '../store/schema.ts';

/** The largest first frame: its sender is not authenticated yet. */
const maxAuthBytes = 16_384;

/** How a node introduces itself; a token wins where both are there. */
export interface AuthRequest {
  readonly credentials:
    | { readonly kind: 'token'; readonly token: string }
    | { readonly kind: 'secret'; readonly nodeId: string; readonly secret: string };
  readonly softwareVersion: string | null;
  readonly protocolVersion: number | null;
  /** As the node sent it; null where it says nothing, as relays and edges do. */
  readonly deviceType: NodeKind | null;
}

export type ReadAuth =
  | { readonly kind: 'auth'; readonly request: AuthRequest }
  /** The text is the one that nodes in the field know. */
  | { readonly kind: 'refused'; readonly reason: string };

/** A frame after authentication. */
export type NodeFrame =
  /** As it came: it is parsed only when it is used. The bytes belong to the socket. */
  | { readonly kind: 'stats'; readonly bytes: Buffer }
  | { readonly kind: 'health'; readonly payload: unknown }
  | { readonly kind: 'event'; readonly timestamp: unknown; readonly payload: unknown }
  | { readonly kind: 'command_ack'; readonly payload: unknown }
  | { readonly kind: 'config_response'; readonly payload: unknown }
  | { readonly kind: 'pong' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly reason: string };

const credential = z.string().min(1).max(MAX_CREDENTIAL_CHARS);
const deviceTypes: ReadonlyMap<unknown, NodeKind> = new Map<unknown, NodeKind>([
  ['relay', 'relay'],
  ['edge', 'edge'],
  ['observer', 'observer'],
]);

export function readAuth(text: string): ReadAuth {
  if (Buffer.byteLength(text) > maxAuthBytes) return refused('First message must be a text auth frame');
  const envelope = asJsonObject(parseJson(text));
  if (envelope === null) return refused('Invalid auth JSON: not a JSON object');
  const { type } = envelope;
  if (type !== 'auth') {
    const shown = typeof type === 'string' ? type.slice(0, MAX_PEER_TEXT_CHARS) : '';
    return refused(`Expected 'auth' message type, got '${shown}'`);
  }
  return readCredentials(asJsonObject(envelope['payload']) ?? {});
}

function readCredentials(payload: Readonly<Record<string, unknown>>): ReadAuth {
  const { software_version: version, protocol_version: protocol, device_type: device } = payload;
  const rest = {
    softwareVersion: typeof version === 'string' ? version.slice(0, MAX_PEER_TEXT_CHARS) : null,
    protocolVersion: Number.isSafeInteger(protocol) ? (protocol as number) : null,
    deviceType: device === undefined || device === null ? null : (deviceTypes.get(device) ?? 'other'),
  };
  const token = credential.safeParse(payload['registration_token']);
  if (token.success) return { kind: 'auth', request: { credentials: { kind: 'token', token: token.data }, ...rest } };
  const nodeId = credential.safeParse(payload['node_id']);
  if (!nodeId.success) return refused('Missing node_id in auth payload');
  const secret = credential.safeParse(payload['node_secret']);
  if (!secret.success) return refused('Missing node_secret in auth payload');
  const credentials = { kind: 'secret', nodeId: nodeId.data, secret: secret.data } as const;
  return { kind: 'auth', request: { credentials, ...rest } };
}

/** Our nodes write the type first, nodes in the field last; either way the last brace closes the frame itself. */
const statsHead = Buffer.from('{"type":"stats"');
const statsTail = Buffer.from('"type":"stats"}');

export function readFrame(bytes: Buffer): NodeFrame {
  if (hasAt(bytes, 0, statsHead) || hasAt(bytes, bytes.length - statsTail.length, statsTail)) {
    return { kind: 'stats', bytes };
  }
  const envelope = parseJson(bytes);
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    return { kind: 'malformed', reason: 'not a JSON object' };
  }
  return classify(envelope as Readonly<Record<string, unknown>>, bytes);
}

/** Byte by byte, which leaves nothing to collect: thousands of frames come each second. */
function hasAt(bytes: Buffer, from: number, part: Buffer): boolean {
  if (from < 0) return false;
  for (let index = 0; index < part.length; index++) if (bytes[from + index] !== part[index]) return false;
  return true;
}

function classify({ type, timestamp, payload }: Readonly<Record<string, unknown>>, bytes: Buffer): NodeFrame {
  if (typeof type !== 'string' || timestamp === undefined || payload === undefined) {
    return { kind: 'malformed', reason: 'type, timestamp or payload is missing' };
  }
  switch (type) {
    case 'stats':
      return { kind: 'stats', bytes };
    case 'health':
    case 'command_ack':
    case 'config_response':
      return { kind: type, payload };
    case 'event':
      return { kind: type, timestamp, payload };
    case 'pong':
      return { kind: 'pong' };
    default:
      return { kind: 'unknown' };
  }
}

/** The payload of a stats frame; null when it has none. */
export function readStats(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  return asJsonObject(asJsonObject(parseJson(bytes))?.['payload']);
}

function refused(reason: string): ReadAuth {
  return { kind: 'refused', reason };
}
