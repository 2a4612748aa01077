import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBeat,
  encodeBeat,
  nextNonce,
  TERMINAL_NONCE,
  type BeatFrame,
  type DecodeError,
} from '../../../../src/protocol/beat/beat-frame.ts';
import { crc32c } from '../../../../src/protocol/beat/crc32c.ts';
import { brokenBeats } from '../../../support/samples/broken-beats.ts';

const u64 = 2n ** 64n;

/** Made by the crate varta-vlp 0.2.0. */
const frames: readonly (readonly [string, string, BeatFrame])[] = [
  ['an Ok beat', '56410200020000000000000000000000010000000000000000000000e4116baa', beat({})],
  [
    'a Degraded beat',
    '5641020139300000d2029649000000006400000000000000efbeadde7bbc775f',
    { status: 'Degraded', pid: 12345, timestamp: 1234567890n, nonce: 100n, payload: 0xdeadbeef },
  ],
  [
    'a Critical beat',
    '5641020263000000102700000000000005000000000000002a00000037ecf63f',
    { status: 'Critical', pid: 99, timestamp: 10000n, nonce: 5n, payload: 42 },
  ],
  [
    'a terminal beat',
    '5641020202000000e703000000000000ffffffffffffffff00000000a299eeed',
    beat({ status: 'Critical', timestamp: 999n, nonce: TERMINAL_NONCE }),
  ],
  ['nonce 0, after a wrap', '56410200020000000000000000000000000000000000000000000000d4c51a9b', beat({ nonce: 0n })],
  [
    'the largest values',
    '56410200fffffffffefffffffffffffffeffffffffffffffffffffff9e793a79',
    { status: 'Ok', pid: 0xffffffff, timestamp: u64 - 2n, nonce: u64 - 2n, payload: 0xffffffff },
  ],
];

describe('the frame of a beat', () => {
  it.each(frames)('%s is read and written as the field does', (_name, hex, frame) => {
    expect(decodeBeat(Buffer.from(hex, 'hex'))).toEqual({ kind: 'frame', frame });
    expect(Buffer.from(encodeBeat(frame)).toString('hex')).toBe(hex);
  });

  it.each(brokenBeats)('%s is refused by the first rule that it breaks', (hex, error) => {
    expect(decodeBeat(Buffer.from(hex, 'hex'))).toEqual({ kind: 'invalid', error });
  });

  it('a CRC error stands before the errors of fields', () => {
    const bytes = Buffer.from('564102090200000064000000000000000100000000000000000000006bfbb06f', 'hex');
    expect(decodeBeat(bytes)).toMatchObject({ kind: 'invalid', error: { kind: 'BadCrc', actual: 1873869675 } });
  });

  it('survives the round trip, also at an offset', () => {
    fc.assert(
      fc.property(anyFrame(), fc.nat(40), (frame, offset) => {
        const bytes = new Uint8Array(offset + 32);
        bytes.set(encodeBeat(frame), offset);
        expect(decodeBeat(bytes, offset)).toEqual({ kind: 'frame', frame });
      }),
    );
  });

  it('with any one byte changed is refused', () => {
    fc.assert(
      fc.property(anyFrame(), fc.nat(31), fc.integer({ min: 1, max: 255 }), (frame, index, change) => {
        const bytes = encodeBeat(frame);
        bytes[index] = (bytes[index] ?? 0) ^ change;
        const expected = index < 2 ? 'BadMagic' : index === 2 ? 'BadVersion' : 'BadCrc';
        expect(decodeBeat(bytes)).toMatchObject({ kind: 'invalid', error: { kind: expected } });
      }),
    );
  });

  it('with several faults is refused by the first in the order of the rules', () => {
    const faults: readonly (readonly [DecodeError['kind'], (bytes: Buffer) => void])[] = [
      ['BadMagic', (bytes) => bytes.writeUInt8(0, 0)],
      ['BadVersion', (bytes) => bytes.writeUInt8(1, 2)],
      ['BadStatus', (bytes) => bytes.writeUInt8(9, 3)],
      ['BadPid', (bytes) => bytes.writeUInt32LE(1, 4)],
      ['BadTimestamp', (bytes) => bytes.fill(0xff, 8, 16)],
      ['BadNonce', (bytes) => bytes.fill(0xff, 16, 24)],
    ];
    fc.assert(
      fc.property(
        fc.subarray(
          faults.map((_, index) => index),
          { minLength: 1 },
        ),
        fc.boolean(),
        (chosen, badCrc) => {
          const bytes = Buffer.from(encodeBeat(beat({ pid: 77 })));
          for (const index of chosen) faults[index]?.[1](bytes);
          const crc = crc32c(bytes, 0, 28);
          bytes.writeUInt32LE(badCrc ? (crc ^ 1) >>> 0 : crc, 28);
          const kinds = chosen.map((index) => faults[index]?.[0]);
          const before = kinds.find((kind) => kind === 'BadMagic' || kind === 'BadVersion');
          const expected = before ?? (badCrc ? 'BadCrc' : kinds[0]);
          expect(decodeBeat(bytes)).toMatchObject({ kind: 'invalid', error: { kind: expected } });
        },
      ),
    );
  });

  it('shorter than 32 bytes is a mistake of the caller', () => {
    expect(() => decodeBeat(new Uint8Array(31))).toThrow(RangeError);
  });
});

describe('the nonce after', () => {
  it.each([
    [1n, 2n],
    [0n, 1n],
    [u64 - 3n, u64 - 2n],
    [u64 - 2n, 0n],
    [TERMINAL_NONCE, 0n],
  ])('%s is %s', (nonce, next) => {
    expect(nextNonce(nonce)).toBe(next);
  });
});

function beat(fields: Partial<BeatFrame>): BeatFrame {
  return { status: 'Ok', pid: 2, timestamp: 0n, nonce: 1n, payload: 0, ...fields };
}

function anyFrame(): fc.Arbitrary<BeatFrame> {
  return fc.record({
    status: fc.constantFrom('Ok', 'Degraded', 'Critical'),
    pid: fc.integer({ min: 2, max: 0xffffffff }),
    timestamp: fc.bigInt({ min: 0n, max: u64 - 2n }),
    nonce: fc.bigInt({ min: 0n, max: u64 - 2n }),
    payload: fc.integer({ min: 0, max: 0xffffffff }),
  });
}
