import type { Results } from '../report/results.ts';
import { svgPlot } from '../report/svg-plot.ts';
import { formatReport } from '../report/table.ts';
import type { PathCase } from './cells.ts';
import type { Verdict } from './verdict.ts';

const shownVerdicts = 12;

/** What paths.json holds. */
export interface PathsResults extends Results {
  /** Where paths lost and reordered, round by round; `--seed` takes the first one. */
  readonly seeds: readonly number[];
  readonly verdicts: readonly Verdict[];
}

/** The table for people, and the cells that are not as they should be, the worst first. */
export function pathsReport(results: PathsResults): string {
  const { seeds, verdicts } = results;
  const missed = verdicts.filter(({ misses }) => misses.length > 0).toSorted((a, b) => a.share - b.share);
  const lines = missed
    .slice(0, shownVerdicts)
    .map(({ row, column, misses }) => `  ${column}, ${row}: ${misses.join('; ')}`);
  const more = missed.length - lines.length;
  return [
    formatReport(results).trimEnd(),
    `Seeds of the rounds: ${seeds.join(', ')}.`,
    '',
    verdicts.length === 0
      ? 'No cell is judged: targets are shares of the bare path, which was not measured.'
      : `Cells within their targets: ${verdicts.length - missed.length} of ${verdicts.length}.`,
    ...(lines.length === 0 ? [] : ['The worst:', ...lines]),
    ...(more > 0 ? [`  and ${more} more`] : []),
    '',
  ].join('\n');
}

/** Share delivered over random loss, one line for each column; null where fewer than two losses were measured. */
export function lossPlot(results: Results, cases: readonly PathCase[]): string | null {
  const points = cases.filter(({ cell, rate }) => (cell.lossPercent ?? 0) > 0 && rate === cases[0]?.rate);
  if (points.length < 2) return null;
  const series = Object.keys(results.relays).map((name) => ({
    name,
    points: points.flatMap(({ id, cell }) => {
      const median = results.rows.find((row) => row.id === id)?.cells[name]?.summary?.median;
      return median === undefined ? [] : [{ x: cell.lossPercent ?? 0, y: median }];
    }),
  }));
  return svgPlot({
    title: 'Live media over a path that loses packets: 380 datagrams a second, RTT 40 ms',
    xLabel: 'random loss on the path, %',
    yLabel: 'delivered, %',
    series: series.filter(({ points: drawn }) => drawn.length > 0),
  });
}
