import edgeSchema from '../../../edge.schema.json' with { type: 'json' };
import observerSchema from '../../../observer.schema.json' with { type: 'json' };
import relaySchema from '../../../config.schema.json' with { type: 'json' };
import { asJsonObject } from '../../lib/json.ts';
import { isSecretName, redacted } from '../../lib/redact.ts';

/** A config that may be shown, and the texts in it that may not. */
export interface HiddenConfig {
  readonly shown: unknown;
  readonly secrets: readonly string[];
}

/** Keys with texts that people fill with commands, passwords or access keys, although their names do not show that. */
const privateKeys: ReadonlySet<string> = new Set(['stream_id', 'recovery_exec', 'recovery_env']);
const fingerprints: ReadonlySet<string> = new Set(['cert_fingerprint', 'relay_fingerprint']);
const knownKeys = new Set([relaySchema, edgeSchema, observerSchema].flatMap((schema) => keysOf(schema)));
/** So long a run of such characters is a key or a token, whatever it is called. */
const keyMaterial = /^[0-9a-zA-Z+/=_-]{32,}$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Shorter texts occur by chance. */
const leastSecretChars = 8;
/** Our own are shorter, but for those of the observer, which are known. */
const longestKeyChars = 32;
/** Messages quote the beginning of a long value. */
const prefixChars = 12;

/**
 * Shows what the schemas of the programs know and what is no secret; hides all else. A key that no schema has may be a
 * misspelt secret, so its value is hidden too.
 */
export function hideSecrets(config: unknown): HiddenConfig {
  const secrets = new Set<string>();
  return { shown: hideIn(config, secrets), secrets: [...secrets] };
}

/** `text` without the secrets, wherever they stand in it and however much of them is quoted. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  // The longest first: one may be the beginning of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    if (secret.length < leastSecretChars) continue;
    for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])) {
      clean = clean.replaceAll(form, redacted);
    }
    if (secret.length > prefixChars) clean = clean.replaceAll(secret.slice(0, prefixChars), redacted);
  }
  return clean;
}

function hideIn(value: unknown, secrets: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => hideIn(item, secrets));
  const fields = asJsonObject(value);
  if (fields === null) return value;
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]: [string, unknown]) => {
      if (knownKeys.has(key)) return [key, isHidden(key) ? hide(field, secrets) : hideText(key, field, secrets)];
      return [isPlainName(key) ? key : hide(key, secrets), hide(field, secrets)];
    }),
  );
}

function isHidden(key: string): boolean {
  return isSecretName(key) || privateKeys.has(key);
}

/** False for what may be a secret that was pasted where a key belongs. */
function isPlainName(key: string): boolean {
  return key.length < longestKeyChars;
}

function hideText(key: string, value: unknown, secrets: Set<string>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => hideText(key, item, secrets));
  if (typeof value !== 'string') return hideIn(value, secrets);
  if (keyMaterial.test(value) && !uuid.test(value) && !fingerprints.has(key)) return hide(value, secrets);
  const url = URL.parse(value);
  if (url === null || (url.username === '' && url.password === '' && url.search === '')) return value;
  for (const part of [url.username, url.password, url.search.slice(1)]) if (part !== '') secrets.add(part);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Replaces a hidden value by a mark, and keeps every text in it for the search in the other files. */
function hide(value: unknown, secrets: Set<string>): unknown {
  if (value === null || value === undefined) return value;
  collectTexts(value, secrets);
  return redacted;
}

function collectTexts(value: unknown, secrets: Set<string>): void {
  if (typeof value === 'string') secrets.add(value);
  else if (typeof value === 'number') secrets.add(String(value));
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) collectTexts(part, secrets);
}

/** Every key that a schema has, at any depth. */
function keysOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap((part: unknown) => keysOf(part));
  const fields = asJsonObject(schema);
  if (fields === null) return [];
  const own = Object.keys(asJsonObject(fields['properties']) ?? {});
  return [...own, ...Object.values(fields).flatMap((part: unknown) => keysOf(part))];
}
