import type { Results } from '../report/results.ts';
import { svgBars } from '../report/svg-bars.ts';

/** The rows that a plot has room for, with which end of each is the good one. */
const panels = [
  ['TCP one way', 'more is better'],
  ['TCP, CPU of all three', 'less is better'],
  ['UDP 1316 B at 5k/s, CPU of all three', 'less is better'],
  ['UDP 1316 B at 5k/s, p99', 'less is better'],
] as const;

/** Medians of all columns; null where nothing was measured. A checkout to compare with is not of interest to readers. */
export function chainPlot({ rows, relays }: Results): string | null {
  const names = Object.keys(relays).filter((name) => !name.startsWith('base '));
  const drawn = panels.flatMap(([id, better]) => {
    const row = rows.find((candidate) => candidate.id === id);
    const bars = names.flatMap((name) => {
      const value = row?.cells[name]?.summary?.median;
      return value === undefined ? [] : [{ name: name === 'frp' ? name : `adit, ${name}`, value }];
    });
    return bars.length === 0 ? [] : [{ title: `${id}, ${row?.unit ?? ''} (${better})`, bars }];
  });
  return drawn.length === 0 ? null : svgBars('Edge to edge through one relay, one machine, encrypted', drawn);
}
