import { costRow, datagramRates } from '../figures/datagrams.ts';
import { growthRow, tunnelCounts } from '../figures/growth.ts';
import type { Results } from './results.ts';
import { svgPlot, type Series } from './svg-plot.ts';

/** File names and contents. A relay without a number at some point has no point there. */
export function plotsOf(results: Results): ReadonlyMap<string, string> {
  const yLabel = 'relay CPU, µs per datagram of 1376 bytes';
  return new Map([
    [
      'cost-by-rate.svg',
      svgPlot({
        title: 'Cost of a relayed datagram by rate, one tunnel',
        xLabel: 'datagrams a second',
        yLabel,
        series: seriesOf(results, datagramRates, costRow),
      }),
    ],
    [
      'cost-by-tunnels.svg',
      svgPlot({
        title: 'Cost of a relayed datagram by number of tunnels, 5 000/s in all',
        xLabel: 'active tunnels',
        yLabel,
        series: seriesOf(results, tunnelCounts, growthRow),
      }),
    ],
  ]);
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
