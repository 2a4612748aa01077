// Fatal, because a replacement character would make two different byte strings one text; BOM kept, so that it fails as
// JSON.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Outside bytes or text as a JSON value; undefined when they are not UTF-8 or not JSON.
 * The parser's own message is dropped on purpose: it quotes the input, which may hold a token or a secret.
 */
export function parseJson(input: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof input === 'string' ? input : utf8.decode(input)) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * A JSON object without its null fields, or null for any other value: writers in the field send an absent field as
 * null.
 */
export function asJsonObject(value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}
