import { describe, expect, it } from 'vitest';
import { streamCode, streamCodeMeaning } from '../../../../src/protocol/tunnel/close-code.ts';

describe('stream codes of the relay', () => {
  it('are 1 to 7, each with a meaning', () => {
    const codes = Object.values(streamCode);
    expect([...codes].sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(codes.map(streamCodeMeaning)).size).toBe(7);
  });

  it('do not include the codes of applications', () => {
    for (const code of [0, 8, 1.5, -1, Number.NaN, 2 ** 53]) expect(streamCodeMeaning(code)).toBeNull();
  });
});
