import { describe, expect, it } from 'vitest';
import { faultsOf, packetBytes, pathCases, type PathCase } from '../../../bench/paths/cells.ts';
import { pathsReport } from '../../../bench/paths/paths-report.ts';
import { planRounds } from '../../../bench/paths/plan.ts';
import { judge, units } from '../../../bench/paths/verdict.ts';
import type { Cell, ResultRow } from '../../../bench/report/results.ts';
import { payloadOfMtu } from '../../support/network/faulty-path.ts';

const cases = pathCases(true, 1);

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
    expect(ids).toEqual(expect.arrayContaining(pathCases(false, 1).map(({ id }) => id)));
    expect(pathCases(false, 1).length).toBeLessThan(12);
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

describe('the rounds of the benchmark of paths', () => {
  const casesOf = (seed: number) => pathCases(true, seed);
  const plan = planRounds({ only: null, rounds: 5, seed: 41 }, casesOf);

  it('have the same cells, and each time other paths', () => {
    expect(plan.map(({ number, seed }) => [number, seed])).toEqual([1, 2, 3, 4, 5].map((n) => [n, 40 + n]));
    for (const round of plan) expect(round.cases.map(({ id }) => id)).toEqual(cases.map(({ id }) => id));
    const seeds = plan.flatMap((round) => round.cases.map(({ seed }) => seed));
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  it('are repeated by a seed that was printed, each on its own too, and with some of the cells', () => {
    expect(planRounds({ only: null, rounds: 5, seed: 41 }, casesOf)).toEqual(plan);
    const [again] = planRounds({ only: ['loss 5 %'], rounds: 1, seed: 43 }, casesOf);
    expect(again?.cases).toEqual(plan[2]?.cases.filter(({ id }) => id.includes('loss 5 %')));
  });

  it('have a seed that is drawn when none is asked for', () => {
    const drawn = Array.from({ length: 8 }, () => planRounds({ only: null, rounds: 1, seed: null }, casesOf));
    expect(new Set(drawn.map(([round]) => round?.seed)).size).toBeGreaterThan(1);
  });

  it('cannot be planned without a cell', () => {
    expect(() => planRounds({ only: ['no such'], rounds: 1, seed: null }, casesOf)).toThrow('no cell');
  });

  it('print their seeds', () => {
    const buffers = { receiveBufferMax: 0, sendBufferMax: 0 };
    const machine = { cpu: 'some', cpus: 2, memoryGb: 4, kernel: '6', node: 'v24', loadAverage: 0, ...buffers };
    const results = {
      ...{ date: 'today', commit: null, machine, engines: [], edgeEngine: '', rounds: 2, discardedRounds: 0 },
      ...{ seconds: 1, relays: {}, reference: null, rows: [], seeds: [41, 42], verdicts: [] },
    };
    expect(pathsReport(results)).toContain('Seeds of the rounds: 41, 42.');
    expect(pathsReport(results)).toContain('No cell is judged');
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

  it('names a round that fell far behind the others', () => {
    const ratio = { median: 1, min: 0.017, max: 1, count: 5 };
    const rows = [row('380/s jitter 30 ms', { ...result(100, 30, 1), ratio })];
    expect(judge(rows, cases, 'native', 'bare')[0]?.misses).toEqual(['delivers 0.017 of the bare path in one round']);
  });

  it('asks less behind a link that does not carry the rate', () => {
    const rows = [row('380/s link 80 %, buffer 300 ms', result(77, 140, 0.96))];
    expect(judge(rows, cases, 'native', 'bare')[0]?.misses).toEqual([]);
  });

  it('leaves out cells without a number', () => {
    const failed: Cell = { ...result(0, 0, null), summary: null };
    expect(judge([row('380/s loss 1 %', failed)], cases, 'native', 'bare')).toEqual([]);
  });
});
