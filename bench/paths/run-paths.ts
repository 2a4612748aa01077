import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { errorMessage } from '../../src/lib/app-error.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { builtEngines } from '../columns.ts';
import type { Measurement } from '../figures/figure.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { choose, type BenchOptions } from '../options.ts';
import { ownCheckout } from '../relays/adit-relay.ts';
import { Recorder } from '../report/results.ts';
import { aditColumn } from './adit-column.ts';
import { bareColumn } from './bare-column.ts';
import { pathCases, type PathCase } from './cells.ts';
import type { PathColumn, RunningColumn } from './column.ts';
import { PathProcess } from './path-process.ts';
import { lossPlot, pathsReport, type PathsResults } from './paths-report.ts';
import { planRounds, type PlannedRound } from './plan.ts';
import { quinnColumn } from './quinn-column.ts';
import { judge, units } from './verdict.ts';

const unit = '% delivered';
/** Above it the columns run one after the other: together they would need more than the machine has. */
const mostTogetherPerSecond = 500;

/** Measures every column over every cell. `say` tells how far it is. */
export async function runPaths(
  options: BenchOptions,
  folder: string,
  say: (line: string) => void,
): Promise<{ results: PathsResults; files: ReadonlyMap<string, string>; text: string }> {
  const engines = await builtEngines();
  const columns = choose(listColumns(engines), options.relays);
  const rounds = planRounds(options, (seed) => pathCases(options.isFull, seed));
  const cases = rounds[0]?.cases ?? [];
  const [date, startMs, machine] = [new Date().toISOString(), performance.now(), describeMachine()];
  const recorder = new Recorder();
  for (const round of rounds) {
    say(`round ${round.number} of ${rounds.length}, seed ${round.seed}`);
    recorder.beginRound();
    const place = join(folder, `round-${round.number}`);
    mkdirSync(place);
    await runRound({ folder: place, round, columns, recorder, say });
  }
  const rows = cases.map(({ id }) => ({ id, unit }));
  const names = columns.map(({ name }) => name);
  const reference = names.includes(bareColumn.name) ? bareColumn.name : null;
  const measured = recorder.rows(rows, names, () => reference, 0);
  const verdicts = names
    .filter((name) => engines.some((engine) => engine === name))
    .flatMap((name) => judge(measured, cases, name, bareColumn.name));
  const results: PathsResults = {
    ...{ date, commit: describeCommit(), machine, engines, edgeEngine: 'the engine of the column' },
    ...{ rounds: options.rounds, discardedRounds: 0, seconds: (performance.now() - startMs) / 1000 },
    relays: Object.fromEntries(columns.map(({ name, description }) => [name, description])),
    ...{ reference, rows: measured, seeds: rounds.map(({ seed }) => seed), verdicts },
  };
  const plot = lossPlot(results, cases);
  const files = new Map(plot === null ? [] : [['delivered-by-loss.svg', plot]]);
  return { results, files, text: pathsReport(results) };
}

/** `BASE` names another checkout, whose build is measured beside this one. */
function listColumns(engines: readonly EngineName[]): readonly PathColumn[] {
  const { LOADGEN: loadgen, BASE: base } = process.env;
  return [
    ...engines.map((engine) => aditColumn({ name: engine, engine, root: ownCheckout })),
    ...(base === undefined ? [] : engines.map((engine) => aditColumn({ name: `base ${engine}`, engine, root: base }))),
    ...(loadgen === undefined ? [] : [quinnColumn(loadgen)]),
    bareColumn,
  ];
}

interface RoundWorld {
  readonly folder: string;
  readonly round: PlannedRound<PathCase>;
  readonly columns: readonly PathColumn[];
  readonly recorder: Recorder;
  readonly say: (line: string) => void;
}

async function runRound({ folder, round, columns, recorder, say }: RoundWorld): Promise<void> {
  const { cases } = round;
  await using open = new AsyncDisposableStack();
  const paths = open.use(await PathProcess.start());
  const running: { readonly name: string; readonly column: RunningColumn }[] = [];
  for (const column of columns) {
    const { name } = column;
    running.push({ name, column: open.use(await column.start({ folder, paths, cases })) });
    say(`  ${name} is up`);
  }
  for (const pathCase of cases) {
    const startMs = performance.now();
    const measureOne = async ({ name, column }: (typeof running)[number]): Promise<void> =>
      recorder.add(name, [await measure(column, pathCase)]);
    if (pathCase.rate.perSecond <= mostTogetherPerSecond) await Promise.all(running.map(measureOne));
    else for (const each of running) await measureOne(each);
    say(`  ${pathCase.id}, ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  }
}

async function measure(column: RunningColumn, pathCase: PathCase): Promise<Measurement> {
  const row = pathCase.id;
  try {
    const { sent, delivered, p50Ms, p99Ms, relayCpuUs } = await column.run(pathCase);
    if (!(delivered > 0)) return { kind: 'failed', row, reason: 'nothing arrived' };
    const cpu = relayCpuUs === null ? {} : { [units.cpu]: relayCpuUs };
    const beside = { [units.p50]: p50Ms, [units.p99]: p99Ms, ...cpu };
    return { kind: 'value', row, value: (delivered / sent) * 100, beside };
  } catch (error) {
    return { kind: 'failed', row, reason: errorMessage(error).replaceAll('\n', ' ') };
  }
}
