import type { Random } from '../../../src/lib/random.ts';

/** Values at which parsers break: ends of ranges, signs, prefixes of long QUIC integers. */
const interesting = [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];
const mostChanges = 6;
const longestGrowth = 64;

type Change = (bytes: Buffer, random: Random) => Buffer;

function below(random: Random, limit: number): number {
  return Math.floor(random.float() * limit);
}

function place(bytes: Buffer, random: Random): number {
  return below(random, bytes.length);
}

const changes: readonly Change[] = [
  function flipBit(bytes, random) {
    const at = place(bytes, random);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[place(bytes, random)] = below(random, 256);
    return bytes;
  },
  function setInteresting(bytes, random) {
    bytes[place(bytes, random)] = interesting[below(random, interesting.length)] ?? 0;
    return bytes;
  },
  function setLength(bytes, random) {
    if (bytes.length < 4) return bytes;
    const at = below(random, bytes.length - 3);
    const value = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, bytes.length][below(random, 6)] ?? 0;
    bytes.writeUInt32BE(value, at);
    return bytes;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, place(bytes, random));
  },
  function cutOut(bytes, random) {
    const from = place(bytes, random);
    const to = from + below(random, bytes.length - from);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function repeatPart(bytes, random) {
    const from = place(bytes, random);
    const to = from + below(random, Math.min(longestGrowth, bytes.length - from));
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to)]);
  },
  function insertNoise(bytes, random) {
    const at = place(bytes, random);
    const noise = random.bytes(1 + below(random, longestGrowth));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
];

/** A copy of `original` with one to six changes; the same random numbers make the same one. */
export function mutate(original: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let left = 1 + below(random, mostChanges); left > 0; left--) {
    if (bytes.length === 0) return Buffer.from(random.bytes(1));
    const change = changes[below(random, changes.length)];
    if (change !== undefined) bytes = change(bytes, random);
  }
  return bytes;
}

/** The head of one recorded input with the tail of another. */
function splicePair(head: Uint8Array, tail: Uint8Array, random: Random): Buffer {
  return Buffer.concat([
    head.subarray(0, below(random, head.length + 1)),
    tail.subarray(below(random, tail.length + 1)),
  ]);
}

/** Endless mutations of a corpus, mostly of one input, sometimes of two joined. */
export function* mutations(corpus: readonly Uint8Array[], random: Random): Generator<Buffer, never, void> {
  const pick = (): Uint8Array => corpus[below(random, corpus.length)] ?? new Uint8Array(0);
  for (;;) yield mutate(random.float() < 0.1 ? splicePair(pick(), pick(), random) : pick(), random);
}
