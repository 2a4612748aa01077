/** What stands in place of a secret wherever a person or a peer may read. */
export const redacted = '***REDACTED***';

const secretName =
  /(secret|token|password|passphrase|proof|authorization|cookie|privatekey|encryptionkey|streamkey|apikey|pem)s?$/;

/** Deeper than any field that we log; keeps a cyclic or huge object from stalling the program. */
const deepest = 6;

export function isSecretName(name: string): boolean {
  return secretName.test(name.toLowerCase().replaceAll(/[^a-z]/g, ''));
}

/**
 * A copy of a log field's value that is safe to print: what a secret-named key holds is gone at any depth, bytes are
 * shown by their number only, and errors are plain objects with their causes.
 */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(fields, 1);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [
      name,
      isSecretName(name) && value !== null && value !== undefined ? redacted : redactValue(value, depth),
    ]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (depth >= deepest) return '<deep>';
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, depth + 1));
  return redactObject(value, depth + 1);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    ...redactObject(error, depth + 1),
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
  };
}
