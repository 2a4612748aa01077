import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { errorMessage } from '../../src/lib/app-error.ts';
import { TunMachine } from '../../test/support/network/tun-machine.ts';
import { builtEngines } from '../columns.ts';
import type { Measurement } from '../figures/figure.ts';
import { choose, type BenchOptions } from '../options.ts';
import { planRounds, type PlannedRound } from '../paths/plan.ts';
import { baseOf, ownCheckout } from '../relays/adit-relay.ts';
import type { Recorder, Results } from '../report/results.ts';
import { formatReport } from '../report/table.ts';
import { inRounds } from '../rounds.ts';
import { streamCases, type StreamCase } from './cells.ts';
import { kernelColumn, type StreamColumn } from './column.ts';
import { tunnelColumn } from './tunnel-column.ts';
import { judgeStreams, verdictLines, type StreamVerdict } from './verdict.ts';

const unit = 'Mbit/s';
const seconds = 6;
const availableControls = '/proc/sys/net/ipv4/tcp_available_congestion_control';

interface StreamResults extends Results {
  /** Where paths lost and reordered, round by round. */
  readonly seeds: readonly number[];
  readonly verdicts: readonly StreamVerdict[];
}

/** Measures the kernel's TCP and tunnels over every cell. `say` tells how far it is. Needs root and /dev/net/tun. */
export async function runStreams(
  options: BenchOptions,
  folder: string,
  say: (line: string) => void,
): Promise<{ results: StreamResults; files: ReadonlyMap<string, string>; text: string }> {
  const columns = choose(await listColumns(), options.relays);
  const plan = planRounds(options, (seed) => streamCases(options.isFull, seed));
  const { recorder, discarded, origin } = await inRounds({ ...options, discardFirst: false }, say, (record, number) =>
    runRound({ folder, columns, record, say }, plan[number - 1]),
  );
  const namesOf = (isKernel: boolean): readonly string[] =>
    columns.filter((column) => column.isKernel === isKernel).map(({ name }) => name);
  const [kernels, tunnels] = [namesOf(true), namesOf(false)];
  const rows = recorder.rows(
    (plan[0]?.cases ?? []).map(({ id }) => ({ id, unit })),
    columns.map(({ name }) => name),
    () => kernels[0] ?? null,
    discarded,
  );
  const verdicts = judgeStreams(rows, tunnels, kernels);
  const results: StreamResults = {
    ...{ ...origin, engines: await builtEngines(), edgeEngine: 'the engine of the column', rows },
    relays: Object.fromEntries(columns.map(({ name, description }) => [name, description])),
    ...{ reference: kernels[0] ?? null, seeds: plan.map(({ seed }) => seed), verdicts },
  };
  const lines = [`Seeds of the rounds: ${results.seeds.join(', ')}.`, '', ...verdictLines(verdicts), ''];
  return { results, files: new Map(), text: `${formatReport(results)}${lines.join('\n')}` };
}

/** `BASE` names another checkout, whose build is measured beside this one. */
async function listColumns(): Promise<readonly StreamColumn[]> {
  const { BASE: base } = process.env;
  const available = readFileSync(availableControls, 'utf8').trim().split(' ');
  const engines = await builtEngines();
  return [
    ...['cubic', 'bbr'].filter((name) => available.includes(name)).map(kernelColumn),
    ...engines.map((engine) => tunnelColumn({ name: engine, engine, root: ownCheckout })),
    ...(base === undefined ? [] : engines.map((engine) => tunnelColumn({ name: baseOf(engine), engine, root: base }))),
  ];
}

interface RoundWorld {
  readonly folder: string;
  readonly columns: readonly StreamColumn[];
  readonly record: Recorder;
  readonly say: (line: string) => void;
}

async function runRound({ folder, columns, record, say }: RoundWorld, round?: PlannedRound<StreamCase>): Promise<void> {
  for (const [index, streamCase] of (round?.cases ?? []).entries()) {
    for (const column of columns) {
      const place = join(folder, `${round?.number ?? 0}-${index}-${column.name.replace(' ', '-')}`);
      mkdirSync(place);
      record.add(column.name, [await measure(column, streamCase, place)]);
    }
    say(`  ${streamCase.id}`);
  }
}

/** Each column has a machine and a path of its own, so that no cell knows what another one met. */
async function measure(
  column: StreamColumn,
  { id: row, cell, seed }: StreamCase,
  folder: string,
): Promise<Measurement> {
  try {
    await using machine = await TunMachine.start({ up: cell.faults, down: cell.faults, seed });
    return { kind: 'value', row, value: await column.run({ machine, folder, seconds }) };
  } catch (error) {
    return { kind: 'failed', row, reason: errorMessage(error).replaceAll('\n', ' ') };
  }
}
