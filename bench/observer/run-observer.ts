import process from 'node:process';
import { measureOrFail } from '../figures/measure-or-fail.ts';
import { choose, type BenchOptions } from '../options.ts';
import { resultsOfRounds } from '../report/results-of-rounds.ts';
import { formatReport } from '../report/table.ts';
import { inRounds } from '../rounds.ts';
import { observerFigures } from './observer-figures.ts';
import { observerPrograms } from './observer-under-test.ts';

/** The observer beside varta-watch, which VARTA_WATCH names. Programs take turns at each figure. */
export async function runObserver(options: BenchOptions, folder: string, say: (line: string) => void) {
  const programs = choose(observerPrograms(process.env['VARTA_WATCH'] ?? null), options.relays);
  const figures = choose(observerFigures, options.only);
  const rounds = await inRounds(options, say, async (record) => {
    for (const figure of figures) {
      for (const program of programs) {
        record.add(program.name, await measureOrFail(figure.rows, () => figure.measure(program, folder)));
        say(`  ${figure.name}: ${program.name}`);
      }
    }
  });
  const rows = figures.flatMap((figure) => figure.rows);
  const layout = { columns: programs, rows, reference: 'varta-watch', engines: [] };
  const results = resultsOfRounds(rounds, layout);
  return { results, text: formatReport(results), files: new Map<string, string>() };
}
