import { describe, expect, it } from 'vitest';
import type { Cell, ResultRow } from '../../../bench/report/results.ts';
import { linkBytesPerSecond, streamCases } from '../../../bench/streams/cells.ts';
import { judgeStreams, verdictLines } from '../../../bench/streams/verdict.ts';

function result(...values: readonly (number | null)[]): Cell {
  return { summary: null, values, beside: {}, bottleneck: null, ratio: null, failures: [] };
}

describe('the cells of the benchmark of streams', () => {
  const cases = streamCases(true, 3);

  it('are each there once, the quick ones among them, with seeds of their round', () => {
    const ids = cases.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(streamCases(false, 3).map(({ id }) => id)));
    const seeds = [...cases, ...streamCases(true, 4)].map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('have one link for all, which no program here is too slow for', () => {
    for (const { cell } of cases) expect(cell.faults.bytesPerSecond).toBe(linkBytesPerSecond);
  });
});

describe('the verdict about streams', () => {
  const rows: readonly ResultRow[] = [
    {
      ...{ id: 'TCP, loss 1 %', unit: 'Mbit/s' },
      cells: { cubic: result(10, 8, 9), bbr: result(30, 30, null), native: result(9, 9, 9), quiche: result(5, 4, 4) },
    },
  ];

  it('compares each tunnel with each of the kernel’s, round by round, the worst first', () => {
    const verdicts = judgeStreams(rows, ['native', 'quiche'], ['cubic', 'bbr']);
    expect(verdicts.map(({ column, kernel, isMissed }) => [column, kernel, isMissed])).toEqual([
      ['quiche', 'bbr', true],
      ['native', 'bbr', true],
      ['quiche', 'cubic', true],
      ['native', 'cubic', false],
    ]);
    expect(verdicts[3]?.share).toBe(1);
  });

  it('names what misses 0.9 of the kernel’s TCP', () => {
    expect(verdictLines(judgeStreams(rows, ['native', 'quiche'], ['cubic']))).toEqual([
      'At least 0.9 of the kernel’s TCP: 1 of 2.',
      '  quiche, TCP, loss 1 %: 0.50 of cubic',
    ]);
  });

  it('is none for cells without a number', () => {
    expect(judgeStreams(rows, ['gone'], ['cubic'])).toEqual([]);
    expect(judgeStreams(rows, ['native'], ['reno'])).toEqual([]);
  });
});
