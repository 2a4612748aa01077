import { describe, expect, it } from 'vitest';
import { type Random, SystemRandom } from '../../../src/lib/random.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';

const generators: [string, Random][] = [
  ['SystemRandom', new SystemRandom()],
  ['SeededRandom', new SeededRandom()],
];

describe.each(generators)('%s', (_name, random) => {
  it('gives as many bytes as asked for, in a buffer of their own', () => {
    const bytes = random.bytes(33);
    expect(bytes).toHaveLength(33);
    expect(bytes.buffer.byteLength).toBe(33);
    expect(random.bytes(33)).not.toEqual(bytes);
    expect(random.bytes(0)).toHaveLength(0);
  });

  it('gives numbers from 0 up to, not including, 1', () => {
    const numbers = Array.from({ length: 500 }, () => random.float());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(Math.max(...numbers)).toBeGreaterThan(0.9);
    expect(Math.min(...numbers)).toBeLessThan(0.1);
  });
});

describe('SeededRandom', () => {
  it('repeats itself for the same seed only', () => {
    expect(new SeededRandom(7).bytes(16)).toEqual(new SeededRandom(7).bytes(16));
    expect(new SeededRandom(7).bytes(16)).not.toEqual(new SeededRandom(8).bytes(16));
  });
});
