import { managerPromises } from './manager-promises.ts';

/** The promises that the programs keep, by id, in a few words. The tests of one are those whose names begin with its id. */
export const promises = {
  I1: 'Only a leg of a tunnel can get a byte into it',
  I2: 'A leg sends in its own direction only, and is cut off the moment it is replaced, unbound, revoked or closed',
  I3: 'A held leg is taken over only with a valid token or proof, openly, and never for ever back and forth',
  I4: 'Revoking and re-authorising act on live legs',
  I5: 'Authorisations survive a restart',
  I6: 'Protocol and direction are enforced',
  I7: 'Tokens, proofs and secrets are compared in constant time and shown nowhere',
  S1: 'FIN, RESET, STOP_SENDING and half-close cross unchanged; a cut transfer never looks complete',
  S2: 'A reader that stops makes the far writer stop, in bounded memory, and nobody else slower',
  S3: 'A dead leg resets its streams on the other side within a second; traffic resumes when the peer is back',
  S4: 'Datagrams of 1376 bytes pass; one that does not fit is counted and reported',
  S5: 'Per tunnel and direction, datagrams in = out + drops by reason',
  S6: 'The queue of datagrams towards a leg is short and drops the oldest',
  A1: 'No state grows without a cap that a setting names',
  A2: 'Every phase of a connection has a deadline',
  A3: 'Lengths are checked before memory is taken; little is held before the first bind',
  A4: 'Under load addresses are proved before any state exists, and nobody is used to amplify',
  A5: 'A flood of garbage leaves tunnels working and memory flat',
  A6: 'Connecting, binding and leaving for ever leaves memory flat',
  A7: 'Nothing that anybody sends ends the process',
  L1: 'A signal drains, says goodbye and ends in time',
  L2: 'A start that cannot succeed says why in one line',
  L3: 'A renewed certificate is used without a restart',
  L4: 'Stopping twice is stopping once, and leaves nothing behind',
  L5: 'A crash leaves whole files',
  L6: 'After a restart all edges are paired again within seconds, without a herd',
  M1: 'A live stream loses what the path loses, and no more of it',
  M2: 'What waited too long, also while the process stood still, is dropped and counted, and not passed on',
  M3: 'Readers that pause, however many, freeze no tunnel',
  M4: 'That a relay gets what is sent to it is proved by its answers, not by what arrives from it',
  T1: 'Events are true',
  T2: 'Counters never fall',
  T3: 'Health and readiness say what is',
  T4: 'The state of each leg’s path is visible',
  ...managerPromises,
} as const;

export type PromiseId = keyof typeof promises;

export const promiseIds = Object.keys(promises) as readonly PromiseId[];

const idPattern = /^((?:[ISALMT]|M[A-J])\d+)\b/;

/** The id with which a test's name begins, known or not; null for tests that prove no promise by name. */
export function idOf(testName: string): string | null {
  return idPattern.exec(testName)?.[1] ?? null;
}

export function isPromiseId(id: string): id is PromiseId {
  return Object.hasOwn(promises, id);
}
