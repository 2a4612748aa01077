import { z } from 'zod';
import type { ParsedMessage } from '../tunnel/control-message.ts';
import { asJsonObject, parseJson } from '../../lib/json.ts';
import { MAX_PEER_TEXT_CHARS } from '../tunnel/limits.ts';
import { MAX_CREDENTIAL_CHARS, NODE_PROTOCOL_VERSION } from './limits.ts';
import type { CommandAction, CommandErrorCode } from './node-command.ts';

/** What a node sends to its manager. */
export type NodeMessageType = 'auth' | 'health' | 'stats' | 'event' | 'pong' | 'command_ack' | 'config_response';

/** How a node introduces itself: with the token of its first registration, or with what it was given for it. */
export type NodeCredentials =
  { readonly registration_token: string } | { readonly node_id: string; readonly node_secret: string };

/** How a command ended. `data` is left out of the ack when absent. */
export type CommandOutcome =
  | { readonly success: true; readonly data?: unknown }
  | { readonly success: false; readonly error: string; readonly error_code?: CommandErrorCode };

/** What a manager sends to a node, before and after authentication (docs/protocol/manager.md §2 and §4). */
export type ManagerMessage =
  | { readonly type: 'register_ack'; readonly node_id: string; readonly node_secret: string }
  | { readonly type: 'auth_ok' }
  | { readonly type: 'auth_error'; readonly reason: string }
  | { readonly type: 'ping' }
  | ManagerCommand;

/**
 * A command, which is always acknowledged, however broken. `command_id` is null when it is missing, no string, or too
 * long to be remembered; `action` is null when it is missing or no object with a type.
 */
export interface ManagerCommand {
  readonly type: 'command';
  readonly command_id: string | null;
  readonly action: CommandAction | null;
}

const credential = z.string().min(1).max(MAX_CREDENTIAL_CHARS);
const registrationSchema = z.object({ node_id: credential, node_secret: credential });

/**
 * One text frame: `type`, `timestamp` (RFC 3339) and `payload`, all three always present; an absent payload is null.
 */
export function encodeNodeMessage(type: NodeMessageType, payload: unknown, timestamp: string): string {
  return JSON.stringify({ type, timestamp, payload: payload ?? null });
}

/** What a node says of itself besides its credentials. */
export interface NodeIntroduction {
  readonly softwareVersion: string;
  /** Only of nodes that managers in the field do not know; relays and edges say nothing, as they do there. */
  readonly deviceType?: 'observer' | undefined;
}

/** The first frame of a node on a new connection. */
export function encodeAuth(
  credentials: NodeCredentials,
  { softwareVersion, deviceType }: NodeIntroduction,
  timestamp: string,
): string {
  const payload = {
    ...credentials,
    software_version: softwareVersion,
    protocol_version: NODE_PROTOCOL_VERSION,
    device_type: deviceType,
  };
  return encodeNodeMessage('auth', payload, timestamp);
}

/** The one acknowledgement of a command; a command without an id is answered as `unknown`. */
export function encodeCommandAck(commandId: string | null, outcome: CommandOutcome, timestamp: string): string {
  return encodeNodeMessage('command_ack', { command_id: commandId ?? 'unknown', ...outcome }, timestamp);
}

/** Reads a text frame from a manager, whose size the caller has already capped. Never throws, never quotes a secret. */
export function parseManagerMessage(frame: string): ParsedMessage<ManagerMessage> {
  const envelope = asJsonObject(parseJson(frame));
  if (envelope === null) return { kind: 'malformed', reason: 'not a JSON object' };
  const { type, payload } = envelope;
  switch (type) {
    case 'register_ack':
      return parseRegistration(payload);
    case 'auth_error':
      return { kind: 'message', message: { type, reason: authErrorReason(envelope) } };
    case 'auth_ok':
    case 'ping':
      return { kind: 'message', message: { type } };
    case 'command':
      return { kind: 'message', message: readCommand(payload) };
    default:
      if (typeof type !== 'string') return { kind: 'malformed', reason: 'no type' };
      return { kind: 'unknown', type: type.slice(0, MAX_PEER_TEXT_CHARS) };
  }
}

function parseRegistration(payload: unknown): ParsedMessage<ManagerMessage> {
  const registration = registrationSchema.safeParse(payload);
  return registration.success
    ? { kind: 'message', message: { type: 'register_ack', ...registration.data } }
    : { kind: 'malformed', reason: 'register_ack without usable node_id and node_secret' };
}

function authErrorReason(envelope: Record<string, unknown>): string {
  const payload = asJsonObject(envelope['payload']);
  const candidates = [envelope['message'], payload?.['message'], payload?.['error']];
  const reason = candidates.find((text) => typeof text === 'string') ?? 'no reason given';
  return reason.slice(0, MAX_PEER_TEXT_CHARS);
}

function readCommand(payload: unknown): ManagerCommand {
  const fields = asJsonObject(payload) ?? {};
  const id = fields['command_id'];
  const usableId = typeof id === 'string' && id.length <= MAX_PEER_TEXT_CHARS;
  return { type: 'command', command_id: usableId ? id : null, action: readAction(fields['action']) };
}

function readAction(action: unknown): CommandAction | null {
  const fields = asJsonObject(action);
  if (fields === null) return null;
  const { type } = fields;
  return typeof type === 'string' ? { ...fields, type } : null;
}
