import { describe, expect, it } from 'vitest';
import { parseSrtOrder } from '../../../bench/srt/srt-order.ts';
import { missedBars, tableHead, tableLine } from '../../../bench/srt/srt-table.ts';
import { TsTally } from '../../../bench/srt/ts-tally.ts';
import { numberedTs } from '../../support/media/numbered-ts.ts';

function outcome(bareErrors: number, errors: number, packets = 10_000) {
  return new Map([
    ['bare', { packets: 10_000, errors: bareErrors, drops: null }],
    ['native', { packets, errors, drops: '{}' }],
  ]);
}

describe('what npm run long:tunnel takes', () => {
  it('is both rates over three paths on both engines, ten minutes each, unless it says otherwise', () => {
    const order = parseSrtOrder([]);
    expect(order).toMatchObject({
      seconds: 600,
      engines: ['native', 'quiche'],
      latencyMs: 600,
      rttMs: 80,
      jitterMs: 20,
    });
    expect(order).toMatchObject({ cells: expect.objectContaining({ length: 6 }) as unknown });
  });

  it('may be one cell on one engine', () => {
    const args = ['--minutes', '0.5', '--rate', '8', '--loss', '5', '--engine', 'native'];
    expect(parseSrtOrder(args)).toMatchObject({
      ...{ seconds: 30, engines: ['native'], cells: [{ megabits: 8, lossPercent: 5 }] },
    });
  });

  it('may run cells beside each other', () => {
    expect(parseSrtOrder([])).toMatchObject({ beside: 1 });
    expect(parseSrtOrder(['--beside', '3'])).toMatchObject({ beside: 3 });
  });

  it('is another path for each cell, drawn unless a seed repeats it', () => {
    const seedsOf = (args: readonly string[]): readonly number[] => {
      const order = parseSrtOrder(args);
      return typeof order === 'string' ? [] : order.cells.map(({ seed }) => seed);
    };
    expect(seedsOf(['--seed', '7', '--rate', '3'])).toEqual([7, 8, 9]);
    const drawn = Array.from({ length: 8 }, () => seedsOf(['--rate', '3', '--loss', '1'])[0]);
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });

  it.each([
    { args: ['--loss', 'much'] },
    { args: ['--engine', 'quinn'] },
    { args: ['--minutes', '0'] },
    { args: ['--beside', '0'] },
    { args: ['--fast'] },
  ])('is refused with the usage: $args', ({ args }) => {
    expect(parseSrtOrder(args)).toContain('npm run long:tunnel');
  });
});

describe('the tally of a transport stream', () => {
  it('counts packets that come in parts of any size, and each gap once', () => {
    const tally = new TsTally();
    const stream = Buffer.concat([numberedTs(0, 20), numberedTs(25, 10)]);
    for (let at = 0; at < stream.length; at += 100) tally.push(stream.subarray(at, at + 100));
    expect(tally.count).toEqual({ packets: 30, errors: 1 });
  });

  it('refuses what is no transport stream', () => {
    expect(() => new TsTally().push(Buffer.alloc(188))).toThrow('no TS packet');
  });
});

describe('the verdict about a tunnel', () => {
  const bad = { megabits: 3, lossPercent: 5, seed: 1 };
  const usual = { megabits: 3, lossPercent: 2, seed: 1 };

  it('is that it holds its bar with as few errors and as many packets as the path alone', () => {
    expect(missedBars(bad, outcome(3, 3))).toEqual([]);
    expect(missedBars(bad, outcome(3, 4))).toEqual([
      'native, errors: 4, at most 3 (the path alone: 3); its edges dropped {}',
    ]);
    expect(missedBars(bad, outcome(0, 0, 9000))).toEqual([
      'native, packets: 9000, at least 9950; its edges dropped {}',
    ]);
  });

  it('allows no error at 1 and 2 % of loss, whatever the path alone has', () => {
    expect(missedBars(usual, outcome(0, 0))).toEqual([]);
    expect(missedBars(usual, outcome(3, 0))).toEqual([]);
    expect(missedBars(usual, outcome(3, 1))).toEqual([
      'native, errors: 1, at most 0 (the path alone: 3); its edges dropped {}',
    ]);
  });

  it('cannot be had where nothing came over the path alone', () => {
    expect(() => missedBars(bad, new Map([['bare', { packets: 0, errors: 0, drops: null }]]))).toThrow(
      'without a tunnel',
    );
  });

  it('stands in a table of Markdown', () => {
    expect(tableHead(['bare', 'native'])).toBe('| Mbit/s | loss | bare | native |\n| --- | --- | --- | --- |');
    const line = tableLine({ ...usual, lossPercent: 1 }, outcome(0, 2));
    expect(line).toBe('| 3 | 1 % | 0 (10 000 packets) | 2 (10 000 packets) |');
  });
});
