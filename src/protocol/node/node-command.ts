import { z } from 'zod';
import { MAX_PEER_TEXT_CHARS } from '../tunnel/limits.ts';
import { MAX_CREDENTIAL_CHARS } from './limits.ts';
import { parseTunnelId } from '../tunnel/tunnel-id.ts';

/** A command's action as it arrived: a type, and unchecked fields (null ones already left out). */
export interface CommandAction {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The `error_code` of a failed ack. */
export type CommandErrorCode =
  'not_found' | 'validation_error' | 'port_conflict' | 'persistence_failed' | 'unknown_command' | 'internal_error';

/** An action that was understood, or the error that its ack carries, word for word as managers know it. */
export type ParsedAction<A> =
  | { readonly kind: 'action'; readonly action: A }
  | { readonly kind: 'refused'; readonly error: string; readonly error_code: CommandErrorCode };

/** The action of a command that every node's link carries out itself. `get_config` has no fields to read. */
export type LinkAction = z.output<(typeof linkSchemas)[keyof typeof linkSchemas]>;

/** The schemas of a program's actions by type. An error message in them is the error of the ack. */
export type ActionSchemas<A> = Readonly<Record<string, z.ZodType<A>>>;

const linkSchemas = {
  rotate_secret: z.object({
    type: z.literal('rotate_secret'),
    new_secret: requiredText('new_secret').max(MAX_CREDENTIAL_CHARS, {
      error: `new_secret is longer than ${MAX_CREDENTIAL_CHARS} characters`,
    }),
  }),
};

/** Reads an action that the link carries out itself; null when it is the program's. */
export function parseLinkAction(action: CommandAction): ParsedAction<LinkAction> | null {
  return parseAction<LinkAction>(linkSchemas, action);
}

/**
 * Reads an action against a program's schemas; null for a type they do not have. The first bad field names the error.
 */
export function parseAction<A>(schemas: ActionSchemas<A>, action: CommandAction): ParsedAction<A> | null {
  const schema = Object.hasOwn(schemas, action.type) ? schemas[action.type] : undefined;
  if (schema === undefined) return null;
  const parsed = schema.safeParse(action);
  if (parsed.success) return { kind: 'action', action: parsed.data };
  const error = parsed.error.issues[0]?.message ?? 'Invalid command';
  return { kind: 'refused', error, error_code: 'validation_error' };
}

/** The answer to a type that a program does not know, such as `Unknown relay command: X`. */
export function unknownAction(program: 'relay' | 'edge', action: CommandAction): ParsedAction<never> {
  const type = action.type.slice(0, MAX_PEER_TEXT_CHARS);
  return { kind: 'refused', error: `Unknown ${program} command: ${type}`, error_code: 'unknown_command' };
}

/** A field that must be a text with something in it; errors `Missing name` and `Empty name`. */
export function requiredText(name: string): z.ZodString {
  return z.string({ error: `Missing ${name}` }).min(1, { error: `Empty ${name}` });
}

/** The field `tunnel_id` of an action; errors `Missing tunnel_id` and `Invalid UUID`. */
export const actionTunnelId = z.string({ error: 'Missing tunnel_id' }).transform((text, context) => {
  const id = parseTunnelId(text);
  if (id !== null) return id;
  context.addIssue({ code: 'custom', message: 'Invalid UUID' });
  return z.NEVER;
});
