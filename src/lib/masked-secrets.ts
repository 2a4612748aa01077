import { isSecretName, redacted } from './redact.ts';

/** Scheme, who asks, where, and the query of a URL. */
const urlParts = /^([a-z][a-z\d+.-]*:\/\/)(?:([^/?#@]*)@)?([^?#\s]*)(?:\?([^#\s]+))?(#\S*)?$/i;

/**
 * The same value with its secrets masked, at any depth: what secret-named keys hold, and the password and query of a
 * URL. Cameras take the one, servers of live streams the other.
 */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return maskedUrl(value);
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const isSecret = isSecretName(key) && (typeof inner === 'string' || Array.isArray(inner));
      return [key, isSecret ? redacted : maskSecrets(inner)];
    }),
  );
}

function maskedUrl(text: string): string {
  const [, scheme, user, place = '', query, fragment = ''] = urlParts.exec(text) ?? [];
  if (scheme === undefined || (user === undefined && query === undefined)) return text;
  const name = user?.split(':', 1)[0] ?? '';
  const who = user === undefined ? '' : user === name ? `${user}@` : `${name}:${redacted}@`;
  return `${scheme}${who}${place}${query === undefined ? '' : `?${redacted}`}${fragment}`;
}

/**
 * The same value with each mask replaced by what `known` has in its place. Entries of a list belong together by their
 * `id`, or else by their position. `missing`: paths of masks for which `known` has nothing.
 */
export function unmaskSecrets(
  value: unknown,
  known: unknown,
): { readonly value: unknown; readonly missing: readonly string[] } {
  const missing: string[] = [];
  return { value: unmasked(value, known, '', missing), missing };
}

function unmasked(value: unknown, known: unknown, path: string, missing: string[]): unknown {
  if (value === redacted) {
    if (known !== undefined && known !== redacted) return known;
    missing.push(path);
    return value;
  }
  if (typeof value === 'string' && value.includes(redacted)) {
    if (typeof known === 'string' && maskedUrl(known) === value) return known;
    missing.push(path);
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      unmasked(item, counterpart(item, index, known), `${path}[${index}]`, missing),
    );
  }
  const fields = fieldsOf(value);
  if (fields === null) return value;
  const before = fieldsOf(known) ?? {};
  const entries = Object.entries(fields).map(([key, inner]) => {
    const inside = path === '' ? key : `${path}.${key}`;
    return [key, unmasked(inner, Object.hasOwn(before, key) ? before[key] : undefined, inside, missing)];
  });
  return Object.fromEntries(entries);
}

/**
 * The same value with the secrets of `known` that it lacks: nodes leave theirs out of what they show. Entries of a list
 * belong together by their `id`, or else by their position.
 */
export function withSecretsOf(value: unknown, known: unknown): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withSecretsOf(item, counterpart(item, index, known)));
  const [fields, before] = [fieldsOf(value), fieldsOf(known)];
  if (fields === null || before === null) return value;
  const inner = Object.entries(fields).map(([key, field]): [string, unknown] => [
    key,
    withSecretsOf(field, Object.hasOwn(before, key) ? before[key] : undefined),
  ]);
  const lacking = Object.entries(before).filter(([key]) => isSecretName(key) && !Object.hasOwn(fields, key));
  return Object.fromEntries([...inner, ...lacking]);
}

function counterpart(item: unknown, index: number, known: unknown): unknown {
  if (!Array.isArray(known)) return undefined;
  const candidates: readonly unknown[] = known;
  const id = fieldsOf(item)?.['id'];
  return typeof id === 'string' ? candidates.find((other) => fieldsOf(other)?.['id'] === id) : candidates[index];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}
