import { describe, expect, it } from 'vitest';
import { ascending, quantile, ratios, summarise } from '../../../bench/statistics.ts';

describe('a summary of rounds', () => {
  it('has the middle one of an odd number, and the outermost as its spread', () => {
    expect(summarise([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30, count: 3 });
  });

  it('has the mean of the middle two of an even number', () => {
    expect(summarise([4, 1, 100, 2])?.median).toBe(3);
  });

  it('sorts by number, not as text', () => {
    expect(summarise([9, 100, 10])?.median).toBe(10);
  });

  it('is nothing when no round gave a number', () => {
    expect(summarise([])).toBeNull();
  });
});

describe('ratios against a reference', () => {
  it('compare only rounds with each other', () => {
    expect(ratios([10, 40], [20, 20])).toEqual([0.5, 2]);
  });

  it('leave out rounds in which either has no number, or the reference none above 0', () => {
    expect(ratios([1, null, 3, 4, 5], [2, 2, null, 0, -1])).toEqual([0.5]);
  });

  it('leave out rounds that the reference does not have', () => {
    expect(ratios([1, 2], [4])).toEqual([0.25]);
  });
});

describe('a quantile', () => {
  const hundred = ascending(Array.from({ length: 100 }, (_, index) => 100 - index));

  it.each([
    [0, 1],
    [0.5, 50],
    [0.99, 99],
    [0.999, 100],
    [1, 100],
  ])('of 1 to 100 at %d is %d', (share, value) => {
    expect(quantile(hundred, share)).toBe(value);
  });

  it('of one value is that value', () => {
    expect(quantile([7], 0.999)).toBe(7);
  });

  it('of nothing is no number', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});
