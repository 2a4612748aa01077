import { describe, expect, it } from 'vitest';
import { garbage, garbageKinds } from '../../support/hostile/garbage.ts';
import { mutate, mutations } from '../../support/hostile/mutate.ts';
import { PacketKeys } from '../../support/hostile/packet-keys.ts';
import { frames, varint } from '../../support/hostile/quic-frames.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';

describe('the encoders of QUIC frames', () => {
  it('write integers as RFC 9000 A.1 shows', () => {
    expect(varint(37).toString('hex')).toBe('25');
    expect(varint(15_293).toString('hex')).toBe('7bbd');
    expect(varint(494_878_333).toString('hex')).toBe('9d7f3e7d');
    expect(varint(151_288_809_941_952_652n).toString('hex')).toBe('c2197c5eff14e88c');
  });

  it('write a stream frame with offset, length and end', () => {
    expect(frames.stream(4, 2, Buffer.from('ab'), true).toString('hex')).toBe('0f0402026162');
  });

  it('acknowledge what was never sent when told to', () => {
    expect(frames.ack(0, 1000).toString('hex')).toBe('0243e8000043e8');
  });
});

describe('the keys of a packet forge', () => {
  const id = Buffer.from('0011223344556677', 'hex');

  it('open what RFC 9001 A.5 sealed with ChaCha20', () => {
    const secret = Buffer.from('9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b', 'hex');
    const key = PacketKeys.forSuite('chacha20-poly1305', secret);
    // Three bytes of the packet number are in the packet; the receiver knows the upper one.
    const packet = Buffer.from('4cfe4189655e5cd55c41f69080575d7999c25a5bfb', 'hex');
    expect(key.open(packet, 0, 0x2700_0000)).toEqual({ number: 0x2700_bff4, frames: Buffer.of(1) });
  });

  it.each([
    ['aes-128-gcm', 32],
    ['aes-256-gcm', 48],
    ['chacha20-poly1305', 32],
  ] as const)('find %s by a sample and open what they seal', (aead, secretBytes) => {
    const secret = Buffer.from(new SeededRandom(5).bytes(secretBytes));
    const sample = PacketKeys.forSuite(aead, secret).seal(id, 70_000, frames.ping());
    const found = PacketKeys.find(secret, sample, id.length);
    expect(found.open(sample, id.length)).toEqual({ number: 70_000, frames: Buffer.of(1, 0, 0, 0) });
    expect(PacketKeys.forSuite(aead, Buffer.alloc(secretBytes)).open(sample, id.length)).toBeNull();
  });
});

describe('the mutator', () => {
  const original = Buffer.from('{"type":"hello","protocol_version":2}');

  it('changes a copy, the same way for the same numbers', () => {
    const before = Buffer.from(original);
    const first = Array.from({ length: 200 }, (_, seed) => mutate(original, new SeededRandom(seed)));
    const second = Array.from({ length: 200 }, (_, seed) => mutate(original, new SeededRandom(seed)));
    expect(first).toEqual(second);
    expect(original).toEqual(before);
    expect(first.filter((bytes) => !bytes.equals(original)).length).toBeGreaterThan(180);
  });

  it('never grows an input without bound and accepts an empty one', () => {
    const source = mutations([original, Buffer.alloc(0)], new SeededRandom(9));
    const lengths = Array.from({ length: 5000 }, () => source.next().value.length);
    expect(Math.max(...lengths)).toBeLessThan(2 * original.length + 6 * 64);
    expect(Math.min(...lengths)).toBe(0);
  });
});

describe('garbage', () => {
  it('never exceeds what an Ethernet frame carries', () => {
    const random = new SeededRandom(2);
    for (const kind of garbageKinds) {
      for (let i = 0; i < 100; i++) expect(garbage(kind, random).length).toBeLessThanOrEqual(1472);
    }
  });
});
