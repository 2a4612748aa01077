import { describe, expect, it } from 'vitest';
import { agentKey, openBeat, readEnvelope, sealBeat, sessionIv } from '../../../../src/protocol/beat/secure-beat.ts';

/** Made by the crate varta-vlp 0.2.0. */
const key = Uint8Array.from({ length: 32 }, (_, index) => index);
const iv = bytes('1122334455667788');
const frame = bytes('56410200020000000000000000000000010000000000000000000000e4116baa');
const shared =
  '112233445566778800000000bcba1b202190b688488d0a7ac909da44a2023cb7a421fd6428453fd190802fe1ebca9930c3a5c11aeaf01cb6bffb980f';
const master =
  '02000000112233445566778800000000efe8fd8c22610664f602fc8fe649f79475e19b4f2093e063987f1c668b9cc2bd68372bcb2d4ac2cda2517dfc9dfee6a8';

describe('an encrypted beat', () => {
  it('with a shared key is sealed and opened as the field does', () => {
    expect(hex(sealBeat(key, frame, { iv, counter: 0 }))).toBe(shared);
    expect(hex(sealBeat(key, frame, { iv, counter: 1 }))).toMatch(/bbfe14679ccfb265e3d2$/);
    expect(openBeat(key, bytes(shared))).toEqual(Buffer.from(frame));
    expect(readEnvelope(bytes(shared))).toEqual({ pid: null, iv: '1122334455667788', counter: 0 });
  });

  it('with a master key is sealed and opened as the field does', () => {
    const own = agentKey(key, 2);
    expect(hex(own)).toBe('db292f5843a0737aec785a9df270561b343d06e5fe8f89fce72f0869ba77afd5');
    expect(hex(sealBeat(own, frame, { iv, counter: 0, pid: 2 }))).toBe(master);
    expect(openBeat(own, bytes(master))).toEqual(Buffer.from(frame));
    expect(readEnvelope(bytes(master))).toEqual({ pid: 2, iv: '1122334455667788', counter: 0 });
  });

  it('is not opened after any byte was changed', () => {
    for (const [sealed, opener] of [
      [shared, key],
      [master, agentKey(key, 2)],
    ] as const) {
      for (let index = 0; index < sealed.length / 2; index += 1) {
        const changed = bytes(sealed);
        changed[index] = (changed[index] ?? 0) ^ 1;
        expect(openBeat(opener, changed), `byte ${index}`).toBeNull();
      }
    }
  });

  it('is not opened by another key, nor in another size', () => {
    expect(openBeat(agentKey(key, 2), bytes(shared))).toBeNull();
    for (const size of [0, 32, 59, 61, 63, 65]) {
      expect(openBeat(key, new Uint8Array(size))).toBeNull();
      expect(readEnvelope(new Uint8Array(size))).toBeNull();
    }
  });

  it('takes its iv from the salt of the session', () => {
    expect(
      hex(
        sessionIv(
          Uint8Array.from({ length: 16 }, (_, index) => index),
          0,
        ),
      ),
    ).toBe('5eb8ac690eab739d');
  });
});

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}
