import { describe, expect, test } from 'vitest';
import { FigureRing } from '../../../../src/manager/live/figure-ring.ts';

const rowsOf = (ring: FigureRing) => ring.map((figure) => [figure(0), figure(1)]);

describe('a ring of figures', () => {
  test('gives its rows oldest first, and null as null', () => {
    const ring = new FigureRing(2, 40);
    expect(rowsOf(ring)).toEqual([]);
    ring.push([1, null]);
    ring.push([2, -0.5]);
    expect(rowsOf(ring)).toEqual([
      [1, null],
      [2, -0.5],
    ]);
  });

  test.each([1, 14, 15, 16, 40, 41, 100])('has the newest 40 of %i rows', (count) => {
    const ring = new FigureRing(2, 40);
    const all = Array.from({ length: count }, (_, index) => [index, index * 1_000_000_000_000]);
    for (const row of all) ring.push(row);
    expect(rowsOf(ring)).toEqual(all.slice(-40));
  });
});
