import { costRow, datagramRates } from '../figures/datagrams.ts';
import { growthRow, tunnelCounts } from '../figures/growth.ts';
import type { Results } from './results.ts';
import { svgPlot, type Series } from './svg-plot.ts';

/** File names and contents, of what was measured. A relay without a number at some point has no point there. */
export function plotsOf(results: Results): ReadonlyMap<string, string> {
  const yLabel = 'relay CPU, µs per datagram of 1376 bytes';
  const plots = [
    {
      file: 'cost-by-rate.svg',
      title: 'Cost of a relayed datagram by rate, one tunnel',
      xLabel: 'datagrams a second',
      series: seriesOf(results, datagramRates, costRow),
    },
    {
      file: 'cost-by-tunnels.svg',
      title: 'Cost of a relayed datagram by number of tunnels, 5 000/s in all',
      xLabel: 'active tunnels',
      series: seriesOf(results, tunnelCounts, growthRow),
    },
  ];
  const measured = plots.filter(({ series }) => series.length > 0);
  return new Map(measured.map(({ file, ...plot }) => [file, svgPlot({ ...plot, yLabel })]));
}

function seriesOf(results: Results, xs: readonly number[], rowId: (x: number) => string): Series[] {
  const lines = Object.keys(results.relays).map((name) => ({
    name,
    points: xs.flatMap((x) => {
      const cell = results.rows.find(({ id }) => id === rowId(x))?.cells[name];
      const median = cell?.summary?.median;
      return median === undefined ? [] : [{ x, y: median }];
    }),
  }));
  return lines.filter(({ points }) => points.length > 0);
}
