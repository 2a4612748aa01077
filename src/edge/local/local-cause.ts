import { errorMessage } from '../../lib/app-error.ts';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  EHOSTUNREACH: 'there is no way to it (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to it (ENETUNREACH)',
  ETIMEDOUT: 'it does not answer (ETIMEDOUT)',
  EACCES: 'the system does not permit it (EACCES)',
  EPERM: 'the system does not permit it (EPERM): look at the firewall here',
  EMFILE: 'this process has no file descriptors left (EMFILE): raise LimitNOFILE',
};

/** Why a local program could not be reached, for people. */
export function localCause(error: Error): string {
  // The Rust engine gives the system's code within the message only.
  const own = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const told = /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? '';
  return words[own] ?? words[told] ?? errorMessage(error);
}
