import { describe, expect, it } from 'vitest';
import { axisWords, scaled } from '../../../web/src/words/format.ts';

describe('the labels of an axis', () => {
  it('never repeat one number', () => {
    expect(axisWords([0, 0.5, 1], 'bit/s')).toEqual(['0.0 bit/s', '0.5 bit/s', '1.0 bit/s']);
    expect(axisWords([0, 1, 2], '')).toEqual(['0', '1', '2']);
    expect(axisWords([0, 0.25, 0.5, 0.75], 'Mbit/s')).toHaveLength(4);
  });

  it('have one prefix, that of the largest', () => {
    expect(axisWords([0, 500_000, 1_000_000, 1_500_000], 'bit/s')).toEqual([
      ...['0.0 Mbit/s', '0.5 Mbit/s', '1.0 Mbit/s', '1.5 Mbit/s'],
    ]);
  });
});

describe('a value beside its unit', () => {
  it('has the prefix that fits', () => {
    expect([0, 999, 1_000, 8_200_000, 123_400_000].map((value) => scaled(value, 'bit/s'))).toEqual([
      ...['0 bit/s', '999 bit/s', '1.0 kbit/s', '8.2 Mbit/s', '123 Mbit/s'],
    ]);
  });
});
