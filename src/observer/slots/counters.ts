import type { DecodeError } from '../../protocol/beat/beat-frame.ts';

/** What an observer counts beside the counters of each slot. Every one only grows. */
export interface Counters {
  readonly decodeErrors: Record<DecodeError['kind'], number>;
  authFailures: number;
  ioErrors: number;
  ctrlTruncated: number;
  truncatedDatagrams: number;
  originConflicts: number;
  /** The sender's namespace is not the observer's. */
  namespaceMismatches: number;
  /** The sender's namespace is not the slot's. */
  namespaceConflicts: number;
  pidAboveMax: number;
  rateLimitedPerPid: number;
  rateLimitedGlobal: number;
  nonceWraps: number;
  nonceRestarts: number;
  outOfOrder: number;
  capacityExceeded: number;
  evicted: number;
  evictionScanTruncated: number;
  probes: number;
  ringOverflow: number;
  selfPauses: number;
  /** Times that the kernel may have refused beats because too many waited. */
  fullQueues: number;
  decryptFailures: number;
  aeadAttempts: number;
  /** Encrypted beats with a counter that was there before. */
  replays: number;
  senderStateFull: number;
}

export function createCounters(): Counters {
  return {
    decodeErrors: {
      BadMagic: 0,
      BadVersion: 0,
      BadStatus: 0,
      BadPid: 0,
      BadTimestamp: 0,
      BadNonce: 0,
      StallOnWire: 0,
      BadCrc: 0,
    },
    authFailures: 0,
    ioErrors: 0,
    ctrlTruncated: 0,
    truncatedDatagrams: 0,
    originConflicts: 0,
    namespaceMismatches: 0,
    namespaceConflicts: 0,
    pidAboveMax: 0,
    rateLimitedPerPid: 0,
    rateLimitedGlobal: 0,
    nonceWraps: 0,
    nonceRestarts: 0,
    outOfOrder: 0,
    capacityExceeded: 0,
    evicted: 0,
    evictionScanTruncated: 0,
    probes: 0,
    ringOverflow: 0,
    selfPauses: 0,
    fullQueues: 0,
    decryptFailures: 0,
    aeadAttempts: 0,
    replays: 0,
    senderStateFull: 0,
  };
}
