import { AppError, errorMessage } from './app-error.ts';

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
 * A copy of a log line's fields that is safe to print. Values under secret names are left out at any depth; of bytes
 * only their number is shown. An error is its message with those of its causes. A defect, which no code expected, also
 * has its `stack` there; for a refused connection or a full disk that would only be noise.
 */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const defects = Object.values(fields).filter((value) => value instanceof Error && !isExpected(value));
  return { ...redactObject(fields, 1), ...(defects.length > 0 && { stack: defects.map(stackOf).join('\n') }) };
}

/** Ours by design, or one of the system's; those of Node's own checks (`ERR_…`) are defects of the caller. */
function isExpected(error: Error): boolean {
  if (error instanceof AppError) return error.code !== 'bug';
  return 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\nCaused by: ${error.cause.stack ?? error.cause.message}` : own;
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
  if (value instanceof Error) return errorMessage(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, depth + 1));
  return redactObject(value, depth + 1);
}
