import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '../src/lib/app-error.ts';
import type { EngineName } from '../src/quic/engine-report.ts';
import { builtEngines, listRelays } from './columns.ts';
import { allFigures } from './figures/all-figures.ts';
import type { Figure, Measurement } from './figures/figure.ts';
import { runChain } from './chain/run-chain.ts';
import { readManagerBench } from './manager/options.ts';
import { runManagerBench } from './manager/run-manager.ts';
import { readMediaBench, runMediaBench } from './media/run-media.ts';
import { choose, parseOptions, usage, type BenchOptions } from './options.ts';
import { baseOf } from './relays/adit-relay.ts';
import type { RelayUnderTest } from './relays/relay-under-test.ts';
import { runObserver } from './observer/run-observer.ts';
import { runPaths } from './paths/run-paths.ts';
import { runStreams } from './streams/run-streams.ts';
import { plotsOf } from './report/plots.ts';
import type { Recorder, Results } from './report/results.ts';
import { formatReport } from './report/table.ts';
import { inRounds } from './rounds.ts';
import type { World } from './stage.ts';

const resultsFolder = fileURLToPath(new URL('results/', import.meta.url));
const interrupted = 130;
const significantDigits = 5;

async function main(): Promise<void> {
  const ofManager = readManagerBench(process.argv.slice(2));
  if (ofManager !== null) {
    let printed = '';
    await runManagerBench(ofManager, (text) => {
      printed += text;
      process.stdout.write(text);
    });
    if (ofManager.save !== null) writeFileSync(join(resultsFolder, `${ofManager.save}.txt`), printed);
    return;
  }
  const ofMedia = readMediaBench(process.argv.slice(2));
  if (ofMedia !== null) {
    await runMediaBench(ofMedia, (text) => process.stdout.write(text));
    return;
  }
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  if (process.platform !== 'linux') throw new Error('the benchmark reads CPU and memory from /proc: it needs Linux');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(interrupted));
  const folder = mkdtempSync(join(tmpdir(), 'adit-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const { results, text, files } = await measure(options, folder);
  process.stdout.write(`\n${text}`);
  if (options.save !== null) write(options.save, results, text, files);
  if (results.rows.length === 0) process.exitCode = 1;
}

function measure(options: BenchOptions, folder: string): Promise<Report> {
  if (options.isStreams) return runStreams(options, folder, say);
  if (options.isPaths) return runPaths(options, folder, say);
  if (options.isChain) return runChain(options, folder, say);
  return options.isObserver ? runObserver(options, folder, say) : run(options, folder);
}

/** What is printed and written. */
interface Report {
  readonly results: Results;
  readonly text: string;
  /** Further files by their names. */
  readonly files: ReadonlyMap<string, string>;
}

async function run(options: BenchOptions, folder: string): Promise<Report> {
  const engines = await builtEngines();
  const [loadgen, base] = [process.env['LOADGEN'] ?? null, process.env['BASE'] ?? null];
  const relays = choose(listRelays(engines, { loadgen, base: base === null ? null : resolve(base) }), options.relays);
  const figures = choose(allFigures(loadgen), options.only);
  const edgeEngine: EngineName = engines.includes('native') ? 'native' : 'quiche';
  const { recorder, discarded, origin } = await inRounds(options, say, (record) =>
    runRound({ folder, edgeEngine, maxDatagramRates: new Map() }, figures, relays, record),
  );
  const names = relays.map(({ name }) => name);
  const quinn = names.find((name) => name === 'quinn') ?? null;
  const referenceOf = (relay: string): string | null => names.find((name) => name === baseOf(relay)) ?? quinn;
  const results: Results = {
    ...origin,
    engines,
    edgeEngine,
    relays: Object.fromEntries(relays.map(({ name, description }) => [name, description])),
    reference: base === null ? quinn : 'the same engine of BASE',
    rows: recorder.rows(
      figures.flatMap((figure) => figure.rows),
      names,
      referenceOf,
      discarded,
    ),
  };
  return { results, text: formatReport(results), files: plotsOf(results) };
}

/** Relays take turns at each figure, so that what else the machine does falls on all of them. */
async function runRound(
  world: World,
  figures: readonly Figure[],
  relays: readonly RelayUnderTest[],
  recorder: Recorder,
): Promise<void> {
  for (const figure of figures) {
    for (const relay of relays.filter((candidate) => figure.appliesTo(candidate))) {
      const startMs = performance.now();
      const measurements = await measureRows(world, figure, relay);
      recorder.add(relay.name, measurements);
      const failed = measurements.filter(({ kind }) => kind === 'failed').length;
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      say(`  ${figure.name}: ${relay.name}, ${seconds} s${failed === 0 ? '' : `, ${failed} FAILED`}`);
    }
  }
}

async function measureRows(world: World, figure: Figure, relay: RelayUnderTest): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  try {
    for await (const measurement of figure.measure(world, relay)) measurements.push(measurement);
    return measurements;
  } catch (error) {
    const reason = errorMessage(error);
    const missing = figure.rows.filter(({ id }) => measurements.every(({ row }) => row !== id));
    return [...measurements, ...missing.map(({ id }): Measurement => ({ kind: 'failed', row: id, reason }))];
  }
}

function write(name: string, results: Results, text: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(join(resultsFolder, `${name}.json`), `${JSON.stringify(results, shorten, 2)}\n`);
  writeFileSync(join(resultsFolder, `${name}.txt`), text);
  for (const [file, content] of files) writeFileSync(join(resultsFolder, file), content);
  say(`\nwritten to ${resultsFolder}: ${[`${name}.json`, `${name}.txt`, ...files.keys()].join(', ')}`);
}

/** What a measurement can tell, and a person can read. */
function shorten(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(significantDigits)) : value;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${errorMessage(error)}\n`);
  process.exitCode = 1;
}
