import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WordTable, wordAt } from '../../../../src/quic/quiche/word-table.ts';

type Key = readonly [number, number, number, number];

/** Few different keys, so that they meet again; the edges of 32 bits among them. */
const word = fc.constantFrom(0, 1, 2, -1, 0x7fffffff, -0x80000000);
const key: fc.Arbitrary<Key> = fc.tuple(word, word, word, word);
const step = fc.record({ kind: fc.constantFrom('set', 'delete'), key, value: fc.nat() });

describe('word table', () => {
  it('behaves like a Map, whatever the seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 200 }), fc.array(key), (seed, steps, probes) => {
        const table = new WordTable<{ value: number }>(seed);
        const model = new Map<string, { value: number }>();
        for (const { kind, key: at, value } of steps) {
          if (kind === 'set') {
            const entry = { value };
            table.set(entry, ...at);
            model.set(at.join(), entry);
          } else {
            table.delete(...at);
            model.delete(at.join());
          }
        }
        for (const at of [...probes, ...steps.map((each) => each.key)]) {
          expect(table.get(...at)).toBe(model.get(at.join()));
        }
      }),
    );
  });

  it('holds thousands of keys that differ in one word only', () => {
    const table = new WordTable<{ n: number }>(99);
    for (let n = 0; n < 5000; n += 1) table.set({ n }, 7, n);
    for (let n = 0; n < 5000; n += 2) table.delete(7, n);
    for (let n = 0; n < 5000; n += 1) expect(table.get(7, n)?.n).toBe(n % 2 === 0 ? undefined : n);
  });

  it('takes words out of bytes as they lie there', () => {
    expect(wordAt(Uint8Array.of(9, 0x78, 0x56, 0x34, 0x12), 1)).toBe(0x12345678);
    expect(wordAt(Uint8Array.of(0xff, 0xff, 0xff, 0xff), 0)).toBe(-1);
  });
});
