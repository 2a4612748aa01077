import type { DecodeError } from '../../../src/protocol/beat/beat-frame.ts';

const u64 = 2n ** 64n;

/** Frames in hex that do not decode, and why: made by the crate varta-vlp 0.2.0. */
export const brokenBeats: readonly (readonly [string, DecodeError])[] = [
  ['00410200020000006400000000000000010000000000000000000000421795be', { kind: 'BadMagic' }],
  ['004101000200000064000000000000000100000000000000000000006bfbb06e', { kind: 'BadMagic' }],
  ['564101000200000064000000000000000100000000000000000000007a774318', { kind: 'BadVersion', version: 1 }],
  [
    '564102000200000064000000000000000100000000000000000000006bfbb06f',
    { kind: 'BadCrc', expected: 1857092459, actual: 1873869675 },
  ],
  ['564102040200000064000000000000000100000000000000000000001fd563d6', { kind: 'BadStatus', status: 4 }],
  ['564102ff0200000064000000000000000100000000000000000000009a03661d', { kind: 'BadStatus', status: 255 }],
  ['56410203020000006400000000000000010000000000000000000000cca7ed1c', { kind: 'StallOnWire' }],
  ['5641020300000000640000000000000001000000000000000000000021549e6d', { kind: 'StallOnWire' }],
  ['564102000000000064000000000000000100000000000000000000008608c31f', { kind: 'BadPid', pid: 0 }],
  ['5641020001000000640000000000000001000000000000000000000008ca8ca5', { kind: 'BadPid', pid: 1 }],
  ['5641020001000000ffffffffffffffff01000000000000000000000053ece29f', { kind: 'BadPid', pid: 1 }],
  ['5641020002000000ffffffffffffffff01000000000000000000000030ddde54', { kind: 'BadTimestamp', timestamp: u64 - 1n }],
  ['5641020002000000ffffffffffffffffffffffffffffffff00000000d70ee7c2', { kind: 'BadTimestamp', timestamp: u64 - 1n }],
  [
    '56410200020000006400000000000000ffffffffffffffff000000008c2889f8',
    { kind: 'BadNonce', nonce: u64 - 1n, status: 'Ok' },
  ],
  [
    '56410201020000006400000000000000ffffffffffffffff0000000011e3bdd6',
    { kind: 'BadNonce', nonce: u64 - 1n, status: 'Degraded' },
  ],
];
