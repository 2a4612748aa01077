import { errorMessage } from '../../lib/app-error.ts';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  EHOSTUNREACH: 'there is no way to it (EHOSTUNREACH)',
  ETIMEDOUT: 'it does not answer (ETIMEDOUT)',
  EACCES: 'the system does not permit it (EACCES)',
  EPERM: 'the system does not permit it (EPERM): look at the firewall here',
  ENOTFOUND: 'its name does not resolve (ENOTFOUND)',
  EAI_AGAIN: 'no DNS server answers for its name (EAI_AGAIN)',
  EMFILE: 'this process has no file descriptors left (EMFILE): raise LimitNOFILE',
};

/** These are about this machine, whatever the program there does. */
const ofMachine: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'it does not have the address that it sent from (EADDRNOTAVAIL)',
  EINVAL: 'the address that it sent from has gone (EINVAL)',
  ENETDOWN: 'the network interface is down (ENETDOWN)',
  ENETUNREACH: 'it has no route there (ENETUNREACH)',
  ENODEV: 'the network interface has gone (ENODEV)',
};

/** Why a local program could not be reached, and whether it or this machine is the cause. For people. */
export function localCause(error: unknown): { readonly kind: 'local' | 'machine'; readonly cause: string } {
  const codes = errorCodes(error);
  const machine = codes.map((code) => ofMachine[code]).find((text) => text !== undefined);
  if (machine !== undefined) return { kind: 'machine', cause: machine };
  const cause = codes.map((code) => words[code]).find((text) => text !== undefined);
  return { kind: 'local', cause: cause ?? errorMessage(error) };
}

/** The system's codes of an error and its causes; the Rust engine gives one within a message. */
function errorCodes(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const own = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const inMessage = /\bE[A-Z]{3,}\b/.exec(error.message)?.[0] ?? '';
  return [own, inMessage, ...errorCodes(error.cause)];
}
