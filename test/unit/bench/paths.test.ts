import { describe, expect, it } from 'vitest';
import { faultsOf, packetBytes, pathCases, type PathCase } from '../../../bench/paths/cells.ts';
import { judge, units } from '../../../bench/paths/verdict.ts';
import type { Cell, ResultRow } from '../../../bench/report/results.ts';
import { payloadOfMtu } from '../../support/network/faulty-path.ts';

const cases = pathCases(true);

function caseNamed(id: string): PathCase {
  const found = cases.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no case ${id}`);
  return found;
}

function result(value: number, p99Ms: number, ratio: number | null): Cell {
  const summary = (median: number) => ({ median, min: median, max: median, count: 1 });
  const beside = { [units.p99]: p99Ms };
  return {
    ...{ summary: summary(value), values: [value], beside, bottleneck: null, failures: [] },
    ratio: ratio === null ? null : summary(ratio),
  };
}

function row(id: string, ours: Cell): ResultRow {
  return { id, unit: '% delivered', cells: { native: ours, bare: result(100, 25, null) } };
}

describe('the cells of the benchmark of paths', () => {
  it('are each there once, the quick ones among them', () => {
    const ids = cases.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(pathCases(false).map(({ id }) => id)));
    expect(pathCases(false).length).toBeLessThan(12);
  });

  it('send what fits the path', () => {
    for (const { cell } of cases) {
      const { largestPayload } = cell.faults;
      if (typeof largestPayload === 'number') expect(packetBytes(cell)).toBeLessThanOrEqual(largestPayload);
    }
    expect(caseNamed('380/s MTU 1280').cell.faults.largestPayload).toBe(payloadOfMtu(1280));
  });

  it('make a narrow link of shares of the rate, on the way up only', () => {
    const narrow = caseNamed('380/s link 80 %, buffer 300 ms');
    const { up, down } = faultsOf(narrow);
    expect(up.bytesPerSecond).toBe(Math.round(0.8 * 380 * packetBytes(narrow.cell)));
    expect(up.queueBytes).toBe(Math.round((up.bytesPerSecond ?? 0) * 0.3));
    expect(down.bytesPerSecond).toBeNull();
  });
});

describe('the verdict about a column', () => {
  it('names what is lost and what is late, the worst first', () => {
    const rows = [
      row('380/s loss 0 %', result(100, 30, 1)),
      row('380/s loss 1 %', result(98, 60, 0.98)),
      row('380/s loss 5 %', result(39, 30, 0.39)),
    ];
    expect(judge(rows, cases, 'native', 'bare').map(({ row: id, misses }) => [id, misses])).toEqual([
      ['380/s loss 5 %', ['delivers 0.390 of the bare path, not 0.99']],
      ['380/s loss 1 %', ['delivers 0.980 of the bare path, not 0.99', 'p99 is 60 ms, not 40 ms']],
      ['380/s loss 0 %', []],
    ]);
  });

  it('asks less behind a link that does not carry the rate', () => {
    const rows = [row('380/s link 80 %, buffer 300 ms', result(77, 140, 0.96))];
    expect(judge(rows, cases, 'native', 'bare')[0]?.misses).toEqual([]);
  });

  it('says nothing of cells without a number', () => {
    const failed: Cell = { ...result(0, 0, null), summary: null };
    expect(judge([row('380/s loss 1 %', failed)], cases, 'native', 'bare')).toEqual([]);
  });
});
