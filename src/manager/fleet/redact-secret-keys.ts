import { isSecretName, redacted } from '../../lib/redact.ts';

/**
 * The same value with what secret-named keys hold masked at any depth: nodes hide their secrets, and this makes sure.
 */
export function redactSecretKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactSecretKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const isSecret = isSecretName(key) && (typeof inner === 'string' || Array.isArray(inner));
      return [key, isSecret ? redacted : redactSecretKeys(inner)];
    }),
  );
}
