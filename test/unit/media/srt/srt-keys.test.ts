import { describe, expect, test } from 'vitest';
import { openKeyMaterial, encodeKeyMaterial } from '../../../../src/media/srt/key-material.ts';
import { PacketCipher } from '../../../../src/media/srt/packet-cipher.ts';
import { rejectReason } from '../../../../src/media/srt/reject-reason.ts';
import { createCipheriv } from 'node:crypto';
import { numbered, SrtWorld } from '../../../support/media/srt-world.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';

const passphrase = 'a passphrase of 25 letters';

describe('the packet cipher', () => {
  test.each([16, 24, 32])('is AES-CTR with the counter of the draft, for keys of %i bytes and any length', (bytes) => {
    const random = new SeededRandom(bytes);
    const [key, salt] = [random.bytes(bytes), random.bytes(16)];
    const cipher = new PacketCipher(key, salt);
    for (const length of [0, 1, 15, 16, 17, 188, 1316, 1456, 4000]) {
      const sequence = Math.floor(random.float() * 2 ** 31);
      const iv = Buffer.from(salt);
      iv.writeUInt32BE((iv.readUInt32BE(10) ^ sequence) >>> 0, 10);
      iv.writeUInt16BE(0, 14);
      const plain = Buffer.from(random.bytes(length));
      const expected = createCipheriv(`aes-${bytes * 8}-ctr`, key, iv).update(plain);
      for (const offset of [0, 1, 16]) {
        const payload = Buffer.concat([Buffer.alloc(offset), plain]).subarray(offset);
        cipher.apply(sequence, payload);
        expect(payload.equals(expected)).toBe(true);
      }
    }
  });
});

describe('key material', () => {
  test('opens with its passphrase only', () => {
    const random = new SeededRandom(3);
    const keys = { salt: random.bytes(16), even: random.bytes(32), odd: random.bytes(32) };
    const message = encodeKeyMaterial(passphrase, keys);
    expect(openKeyMaterial(passphrase, message)).toEqual({ kind: 'opened', keyBytes: 32, keys });
    expect(openKeyMaterial('another passphrase', message)).toEqual({ kind: 'bad-secret' });
    expect(openKeyMaterial(passphrase, message.subarray(0, 50))).toEqual({ kind: 'malformed' });
    const otherMode = Buffer.from(message);
    otherMode[8] = 4;
    expect(openKeyMaterial(passphrase, otherMode)).toEqual({ kind: 'bad-mode' });
  });
});

describe('an encrypted connection', () => {
  test.each([16, 24, 32] as const)('carries data both ways under keys of %i bytes', (keyBytes) => {
    const world = new SrtWorld({ caller: { passphrase, keyBytes }, listener: { passphrase } });
    world.connect();
    expect(world.accepted?.agreement.keys?.keyBytes).toBe(keyBytes);
    world.connection.write(world.nowUs, numbered(1), world.nowUs);
    world.accepted?.write(world.nowUs, numbered(2), world.nowUs);
    world.run(500_000);
    expect(world.delivered.listener.map(({ payload }) => payload.equals(numbered(1)))).toEqual([true]);
    expect(world.delivered.caller.map(({ payload }) => payload.equals(numbered(2)))).toEqual([true]);
  });

  test("takes the key length that the listener's induction names", () => {
    const world = new SrtWorld({ caller: { passphrase }, listener: { passphrase, keyBytes: 32 } });
    world.connect();
    expect(world.connection.agreement.keys?.keyBytes).toBe(32);
  });

  test('changes its keys in both directions, with loss, without an undecrypted packet', () => {
    const refresh = { passphrase, keyRefreshPackets: 500, keyAnnouncePackets: 100, receiveLatencyMs: 400 };
    const world = new SrtWorld({ caller: refresh, listener: refresh, seed: 5 });
    world.connect();
    world.path.quality = { loss: 0.05, delayUs: 10_000, jitterUs: 2000 };
    for (let number = 0; number < 3000; number++) {
      world.connection.write(world.nowUs, numbered(number), world.nowUs);
      world.accepted?.write(world.nowUs, numbered(number), world.nowUs);
      world.run(1000);
    }
    world.run(2_000_000);
    for (const end of ['listener', 'caller'] as const) {
      expect(world.delivered[end].every(({ payload }, number) => payload.equals(numbered(number)))).toBe(true);
      expect(world.delivered[end]).toHaveLength(3000);
    }
    expect(world.connection.counters.keyRefreshesSent).toBeGreaterThanOrEqual(5);
    expect(world.accepted?.counters.keyRefreshesSent).toBeGreaterThanOrEqual(5);
    expect(world.accepted?.counters.packetsUndecrypted).toBe(0);
  });

  test.each([
    ['another passphrase', { passphrase: 'another passphrase' }, { passphrase }, rejectReason.badSecret],
    ['no passphrase', {}, { passphrase }, rejectReason.unsecure],
    ['a passphrase that the listener has not', { passphrase }, {}, rejectReason.unsecure],
    ['another stream id', { streamId: 'b' }, { streamId: 'a' }, rejectReason.forbidden],
  ])('is refused with %s', (_case, caller, listener, reason) => {
    const world = new SrtWorld({ caller, listener });
    world.connect();
    expect(world.failed).toBe(reason);
    expect(world.listener.connections).toEqual([]);
    expect(world.refused).toEqual([reason]);
  });

  test('connects without encryption enforced, and counts what cannot be read', () => {
    const loose = { enforcedEncryption: false };
    const world = new SrtWorld({ caller: { passphrase, ...loose }, listener: { ...loose, passphrase: 'another one' } });
    world.connect();
    expect(world.failed).toBeNull();
    expect(world.connection.encrypted).toBe(false);
  });
});
