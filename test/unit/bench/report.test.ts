import { describe, expect, it } from 'vitest';
import type { Measurement } from '../../../bench/figures/figure.ts';
import { Recorder, type Results } from '../../../bench/report/results.ts';
import { chainPlot } from '../../../bench/chain/chain-plot.ts';
import { svgBars } from '../../../bench/report/svg-bars.ts';
import { niceCeiling, svgPlot } from '../../../bench/report/svg-plot.ts';
import { formatNumber, formatReport } from '../../../bench/report/table.ts';

const cost = { id: 'cost', unit: 'µs' };
const rate = { id: 'rate', unit: '/s' };

function value(row: string, number: number, rest: Partial<Measurement & { kind: 'value' }> = {}): Measurement {
  return { kind: 'value', row, value: number, ...rest };
}

/** A first round that shall not count, then one for each pair of costs. */
function recorded(costs: readonly (readonly [Measurement, Measurement])[]): Recorder {
  const recorder = new Recorder();
  for (const [ours, reference] of [[value('cost', 1e6), value('cost', 1)] as const, ...costs]) {
    recorder.beginRound();
    recorder.add('ours', [ours]);
    recorder.add('quinn', [reference]);
  }
  return recorder;
}

function resultsOf(recorder: Recorder, rounds: number): Results {
  return {
    date: '2026-01-02T03:04:05.000Z',
    commit: 'abc1234',
    machine: {
      cpu: 'CPU',
      cpus: 2,
      memoryGb: 8,
      kernel: '6',
      node: 'v24',
      receiveBufferMax: 1,
      sendBufferMax: 1,
      loadAverage: 0,
    },
    engines: ['ours'],
    edgeEngine: 'ours',
    rounds,
    discardedRounds: 1,
    seconds: 1,
    relays: { ours: 'our relay', quinn: 'the reference' },
    reference: 'quinn',
    rows: recorder.rows([cost, rate], ['ours', 'quinn'], () => 'quinn', 1),
  };
}

describe('the results of a run', () => {
  it('are medians over the rounds that count, with ratios against the reference in the same round', () => {
    const recorder = recorded([
      [value('cost', 10), value('cost', 20)],
      [value('cost', 40), value('cost', 40)],
      [value('cost', 20), value('cost', 25)],
    ]);
    const [row] = recorder.rows([cost, rate], ['ours', 'quinn'], () => 'quinn', 1);
    expect(row?.cells['ours']).toMatchObject({
      summary: { median: 20, min: 10, max: 40, count: 3 },
      ratio: { median: 0.8, min: 0.5, max: 1 },
    });
    expect(row?.cells['quinn']?.ratio).toBeNull();
  });

  it('form ratios of what a measurement says is comparable, where its value is a difference', () => {
    const [row] = recorded([[value('cost', -5, { compared: 50 }), value('cost', 3, { compared: 100 })]]).rows(
      [cost],
      ['ours', 'quinn'],
      () => 'quinn',
      1,
    );
    expect(row?.cells['ours']).toMatchObject({ summary: { median: -5 }, ratio: { median: 0.5 } });
  });

  it('compare each column with a reference of its own', () => {
    const recorder = recorded([[value('cost', 10), value('cost', 20)]]);
    recorder.add('base ours', [value('cost', 5)]);
    const referenceOf = (relay: string): string | null => (relay === 'ours' ? 'base ours' : null);
    const [row] = recorder.rows([cost], ['ours', 'base ours', 'quinn'], referenceOf, 1);
    expect(row?.cells['ours']?.ratio?.median).toBe(2);
    expect(row?.cells['base ours']?.ratio).toBeNull();
    expect(row?.cells['quinn']?.ratio).toBeNull();
  });

  it('leave out rows that nobody measured', () => {
    const rows = recorded([]).rows([cost, rate], ['ours', 'quinn'], () => null, 0);
    expect(rows.map(({ id }) => id)).toEqual(['cost']);
  });

  it('keep the reasons of failures, each once, and have no number then', () => {
    const failed: Measurement = { kind: 'failed', row: 'cost', reason: 'all was lost' };
    const [row] = recorded([
      [failed, value('cost', 1)],
      [failed, value('cost', 1)],
    ]).rows([cost], ['ours', 'quinn'], () => 'quinn', 1);
    expect(row?.cells['ours']).toMatchObject({ summary: null, failures: ['all was lost'], values: [null, null] });
  });
});

describe('the table', () => {
  it('has a line for each row, with spread and ratio, and reports what was at its limit', () => {
    const beside = { '% lost': 0.5 };
    const recorder = recorded([
      [value('cost', 10, { beside, bottleneck: 'relay (99 % of a CPU)' }), value('cost', 20)],
      [value('cost', 14, { beside, bottleneck: 'relay (99 % of a CPU)' }), value('cost', 20)],
    ]);
    const report = formatReport(resultsOf(recorder, 2));
    expect(report).toContain('cost, µs  12.0 [10.0 to 14.0]; ×0.60 [0.50 to 0.70]; 0.50 % lost  20.0 [20.0 to 20.0]');
    expect(report).toContain('What was at its limit:\n  cost: ours relay (99 % of a CPU)');
    expect(report).not.toContain('Failed:');
  });

  it('reports that a figure failed, and why, instead of printing a number', () => {
    const failed: Measurement = { kind: 'failed', row: 'cost', reason: 'all was lost' };
    const report = formatReport(resultsOf(recorded([[failed, value('cost', 20)]]), 1));
    expect(report).toContain('cost, µs  FAILED');
    expect(report).toContain('Failed:\n  ours, cost: all was lost');
  });

  it.each([
    [0, '0'],
    [0.0123, '0.012'],
    [0.123, '0.12'],
    [1.234, '1.23'],
    [12.34, '12.3'],
    [123.4, '123'],
    [40_000, '40 000'],
    [-1870.2, '-1 870'],
  ])('writes %d as %s', (number, text) => {
    expect(formatNumber(number)).toBe(text);
  });
});

describe('a plot', () => {
  it('draws each series with a point for each value, and escapes its texts', () => {
    const svg = svgPlot({
      title: 'a < b & c',
      xLabel: 'x',
      yLabel: 'y',
      series: [
        { name: 'one', points: [1, 10, 100].map((x) => ({ x, y: 2 * x })) },
        { name: 'two', points: [{ x: 1, y: 5 }] },
      ],
    });
    expect(svg).toContain('a &lt; b &amp; c');
    expect(svg.match(/<circle/g)).toHaveLength(4);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg).not.toContain('NaN');
  });

  it('without any value is an empty frame', () => {
    expect(svgPlot({ title: 't', xLabel: 'x', yLabel: 'y', series: [] })).not.toContain('NaN');
  });

  it.each([
    [0, 1],
    [0.3, 0.5],
    [7, 10],
    [21, 25],
    [26, 50],
    [100, 100],
  ])('that reaches %d has an axis up to %d', (reached, top) => {
    expect(niceCeiling(reached)).toBe(top);
  });
});

describe('a plot of bars', () => {
  it('has a panel for each row with the medians of its columns, longest for the largest', () => {
    const recorder = new Recorder();
    recorder.beginRound();
    recorder.add('native', [value('TCP one way', 200)]);
    recorder.add('frp', [value('TCP one way', 80)]);
    const rows = recorder.rows([{ id: 'TCP one way', unit: 'MB/s' }], ['native', 'frp', 'base native'], () => 'frp', 0);
    const relays = { native: 'ours', frp: 'theirs', 'base native': 'older' };
    const plot = chainPlot({ ...resultsOf(recorder, 1), relays, rows });
    expect(plot).toContain('TCP one way, MB/s (more is better)');
    expect(plot).toContain('width="490.0"');
    expect(plot).toContain('width="196.0"');
    expect(plot).not.toContain('base');
  });

  it('is none without numbers, and escapes names', () => {
    expect(chainPlot({ ...resultsOf(new Recorder(), 1), rows: [] })).toBeNull();
    expect(svgBars('t', [{ title: 'a < b', bars: [{ name: 'x', value: 0 }] }])).toContain('a &lt; b');
  });
});
