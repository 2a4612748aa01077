import { isSecretName, redacted } from '../../lib/redact.ts';

/** `mask` keeps the key and hides the value; `omit` leaves the key out. */
export type RedactionStyle = 'mask' | 'omit';

/**
 * A copy of a config that a manager may see. Switches and numbers with such names (`require_bind_proof`) are no
 * secrets, and a masked null stays null: it says that none is set.
 */
export function redactSecrets(value: unknown, style: RedactionStyle): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => redactSecrets(item, style));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]: [string, unknown]): [string, unknown][] => {
      if (!isSecretName(key) || !couldBeSecret(field)) return [[key, redactSecrets(field, style)]];
      if (style === 'omit') return [];
      return [[key, field === null ? null : redacted]];
    }),
  );
}

/** What stands in an object with such a name is judged by its own names. */
function couldBeSecret(field: unknown): boolean {
  return typeof field === 'string' || field === null || Array.isArray(field);
}
