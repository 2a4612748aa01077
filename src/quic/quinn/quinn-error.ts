import { getSystemErrorName } from 'node:util';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import type { SocketAddress } from '../types.ts';
import { AppError, type AppErrorCode } from '../../lib/app-error.ts';

/** The codes that native/src/boundary/error.rs gives. */
const codes: readonly AppErrorCode[] = ['address-unavailable', 'tls-failed', 'connect-failed', 'bug'];

/** Rust's words for an error of the system, with its name as Node gives it: `EADDRINUSE: Address already in use`. */
export function systemWords(reason: string): string {
  const [, words, number] = /^(.*) \(os error (\d+)\)$/u.exec(reason) ?? [];
  return words === undefined ? reason : `${getSystemErrorName(-Number(number))}: ${words}`;
}

/** An error of a socket, with `code` and words as Node gives them: `bind EADDRINUSE 127.0.0.1:5000`. */
export function socketError(call: string, reason: string, address?: SocketAddress): Error {
  const words = systemWords(reason);
  const code = systemCodeOf(words);
  if (code === undefined) return new Error(`${call}: ${words}`);
  const where = address === undefined ? '' : ` ${formatSocketAddress(address)}`;
  return Object.assign(new Error(`${call} ${code}${where}`), { code });
}

/** What the addon throws has its AppErrorCode as `code`; anything else is a bug of the binding. */
export function appErrorOf(thrown: unknown): AppError {
  if (!(thrown instanceof Error)) return new AppError('bug', 'the native engine threw no error', { cause: thrown });
  const given = 'code' in thrown ? thrown.code : undefined;
  const code = codes.find((known) => known === given) ?? 'bug';
  const words = systemWords(thrown.message);
  const systemCode = systemCodeOf(words);
  // The cause of an error of the system has its code, as Node's own errors have.
  const cause = systemCode === undefined ? thrown : Object.assign(new Error(words), { code: systemCode });
  return new AppError(code, words, { cause });
}

function systemCodeOf(words: string): string | undefined {
  return /^E[A-Z0-9]+(?=:)/u.exec(words)?.[0];
}
