import { inspect } from 'node:util';

/**
 * Why an operation failed, for code that decides by it. Closed on purpose: a new code is a new decision somewhere.
 * Expected outcomes are return values and have no code here.
 */
export type AppErrorCode =
  /** The configuration, an argument or a credentials file cannot be used as it is. */
  | 'config-invalid'
  /** A peer, the manager or a REST client sent what its protocol forbids. */
  | 'input-invalid'
  /** A file or directory could not be read or written. */
  | 'io-failed'
  /** A certificate or key is missing, unreadable, expired or not trusted. */
  | 'tls-failed'
  /**
   * Something of this machine or installation is missing or taken: a socket path, an optional package, a secret file.
   */
  | 'unavailable'
  /** An address cannot be resolved or bound. */
  | 'address-unavailable'
  /** The configured QUIC engine is not built here, or not for this machine. */
  | 'engine-unavailable'
  /** The QUIC engine is there, but was built for another machine or from other sources. */
  | 'engine-unusable'
  /** A connection could not be made. */
  | 'connect-failed'
  /** The connection, stream, link or component is closed; nothing more can be done with it. */
  | 'closed'
  /** The peer reset the stream or asked to stop sending. */
  | 'stream-reset'
  /** A deadline passed. */
  | 'timed-out'
  /** The caller gave up, or the program is stopping. */
  | 'cancelled'
  /** A configured limit is reached. */
  | 'limit-reached'
  /** An invariant of this program does not hold. */
  | 'bug';

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: AppErrorCode;

  constructor(code: AppErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The message of anything thrown, followed by what the messages of its causes add: `a: b: c`. For people, not for
 * decisions.
 */
export function errorMessage(error: unknown): string {
  let text = messageOf(error);
  const seen = new Set<unknown>([error]);
  for (let cause = causeOf(error); cause !== undefined && !seen.has(cause); cause = causeOf(cause)) {
    seen.add(cause);
    const message = messageOf(cause);
    if (!text.includes(message)) text += `: ${message}`;
  }
  return text;
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error ? thrown.cause : undefined;
}

function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return typeof thrown === 'string' ? thrown : inspect(thrown);
}
