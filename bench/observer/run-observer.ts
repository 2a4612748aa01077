import process from 'node:process';
import { errorMessage } from '../../src/lib/app-error.ts';
import type { Measurement } from '../figures/figure.ts';
import { choose, type BenchOptions } from '../options.ts';
import type { Results } from '../report/results.ts';
import { formatReport } from '../report/table.ts';
import { inRounds } from '../rounds.ts';
import { observerFigures, type ObserverFigure } from './observer-figures.ts';
import { observerPrograms, type ObserverProgram } from './observer-under-test.ts';

/** The observer beside varta-watch, which VARTA_WATCH names. Programs take turns at each figure. */
export async function runObserver(options: BenchOptions, folder: string, say: (line: string) => void) {
  const programs = choose(observerPrograms(process.env['VARTA_WATCH'] ?? null), options.relays);
  const figures = choose(observerFigures, options.only);
  const { recorder, discarded, origin } = await inRounds(options, say, async (record) => {
    for (const figure of figures) {
      for (const program of programs) {
        record.add(program.name, await measureOrFail(figure, program, folder));
        say(`  ${figure.name}: ${program.name}`);
      }
    }
  });
  const names = programs.map(({ name }) => name);
  const reference = names.includes('varta-watch') ? 'varta-watch' : null;
  const results: Results = {
    ...origin,
    ...{ engines: [], edgeEngine: '' },
    relays: Object.fromEntries(programs.map(({ name, description }) => [name, description])),
    reference,
    rows: recorder.rows(
      figures.flatMap(({ rows }) => rows),
      names,
      () => reference,
      discarded,
    ),
  };
  return { results, text: formatReport(results), files: new Map<string, string>() };
}

async function measureOrFail(
  figure: ObserverFigure,
  program: ObserverProgram,
  folder: string,
): Promise<readonly Measurement[]> {
  try {
    return await figure.measure(program, folder);
  } catch (error) {
    const reason = errorMessage(error);
    return figure.rows.map(({ id }): Measurement => ({ kind: 'failed', row: id, reason }));
  }
}
