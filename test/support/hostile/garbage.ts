import type { Random } from '../../../src/lib/random.ts';

/** Packets that are nobody's: each kind is thrown away by a relay at another of its first bytes. */
export type GarbageKind = 'noise' | 'short-header' | 'unknown-version' | 'small-initial' | 'handshake' | 'tiny';

export const garbageKinds: readonly GarbageKind[] = [
  'noise',
  'short-header',
  'unknown-version',
  'small-initial',
  'handshake',
  'tiny',
];

const quicV1 = Buffer.of(0, 0, 0, 1);

export function garbage(kind: GarbageKind, random: Random): Buffer {
  switch (kind) {
    case 'noise':
      return Buffer.from(random.bytes(1 + Math.floor(random.float() * 1400)));
    case 'short-header':
      return Buffer.concat([Buffer.of(0x40), random.bytes(40)]);
    case 'unknown-version':
      return longHeader(0xc0, Buffer.from(random.bytes(4)), random, 1200);
    case 'small-initial':
      return longHeader(0xc0, quicV1, random, 100);
    case 'handshake':
      return longHeader(0xe0, quicV1, random, 200);
    case 'tiny':
      return Buffer.from(random.bytes(Math.floor(random.float() * 8)));
  }
}

function longHeader(first: number, version: Buffer, random: Random, bytes: number): Buffer {
  const ids = [Buffer.of(8), random.bytes(8), Buffer.of(8), random.bytes(8)];
  const rest = bytes - 26;
  const token = (first & 0x30) === 0 ? Buffer.of(0) : Buffer.alloc(0);
  const length = Buffer.of(0x40 | (rest >> 8), rest & 0xff);
  return Buffer.concat([Buffer.of(first), version, ...ids, token, length, random.bytes(rest)]).subarray(0, bytes);
}
