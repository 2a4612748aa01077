import { join } from 'node:path';
import type { EngineName } from '../../src/manager/store/open-database.ts';
import { PostgresServer } from '../../test/support/manager/postgres-server.ts';
import { ManagerProcess } from '../../test/support/programs/manager-process.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { summarise } from '../statistics.ts';
import { readMemory } from '../procfs.ts';
import { BenchChild, masterKey } from './bench-child.ts';
import type { ServerReport } from './messages.ts';
import type { ManagerBenchOptions } from './options.ts';
import { mebibyte, pause, ServerTrial, temporaryFolder, type EventFigures, type StatsFigures } from './server-trial.ts';

interface ManagerRound {
  readonly idleMb: number;
  readonly stats: StatsFigures;
  /** CPU per CPU of the echo of the same round. */
  readonly ratio: number;
  readonly steady: EventFigures;
  readonly burst: EventFigures;
  readonly backMs: number;
}

interface Row {
  readonly name: string;
  readonly unit: string;
  /** What is to be reached. */
  readonly bar: string;
  readonly digits: number;
  readonly of: (round: ManagerRound) => number;
}

/** Until what a connection brings with it (replay, compare) is over. */
const settleMs = 8_000;
/** Until the garbage of a start is collected. */
const idleMs = 5_000;
const eventsPerSecond = 2_000;
const burstEvents = 10_000;

const rows: readonly Row[] = [
  { name: 'idle RSS', unit: 'MB', bar: '≤ 120', digits: 0, of: ({ idleMb }) => idleMb },
  { name: 'CPU of stats', unit: 'cores', bar: '≤ 0.8', digits: 2, of: ({ stats }) => stats.cpu },
  { name: '… beside the echo', unit: '×', bar: '≤ 1.5', digits: 2, of: ({ ratio }) => ratio },
  { name: 'RSS', unit: 'MB', bar: '≤ 500', digits: 0, of: ({ stats }) => stats.rssMb },
  { name: 'loop lag p99', unit: 'ms', bar: '≤ 50', digits: 1, of: ({ stats }) => stats.lagMs },
  { name: 'database writes', unit: '/s', bar: 'lease only', digits: 1, of: ({ stats }) => stats.writes ?? Number.NaN },
  { name: 'events', unit: '/s', bar: '2 000', digits: 0, of: ({ steady }) => steady.perSecond },
  { name: '… commit p99', unit: 'ms', bar: '≤ 25', digits: 1, of: ({ steady }) => steady.commitMs },
  { name: '… confirmed p99', unit: 'ms', bar: '–', digits: 1, of: ({ steady }) => steady.confirmedMs },
  { name: '10 000 events at once', unit: '/s', bar: '–', digits: 0, of: ({ burst }) => burst.perSecond },
  { name: 'all back after kill -9', unit: 's', bar: '≤ 30', digits: 1, of: ({ backMs }) => backMs / 1_000 },
];

/**
 * Stats of many nodes at a manager on each database, in turns with a bare `ws` echo of the same frames over the same
 * TLS. Then events, and a restart. 20 browsers look on.
 */
export async function runManagerBench(options: ManagerBenchOptions, say: (text: string) => void): Promise<void> {
  const { nodes, rounds, seconds, databases } = options;
  const startedMs = performance.now();
  const what = `${nodes} nodes × 1 stats frame of 2 KB a second, 20 browsers, ${seconds} s a measurement`;
  say(`${JSON.stringify(describeMachine())}, ${describeCommit() ?? 'no commit'}: ${what}\n`);
  const results = new Map<EngineName, ManagerRound[]>(databases.map((engine) => [engine, []]));
  await using postgres = databases.includes('postgres') ? await PostgresServer.start({ durable: true }) : null;
  for (const engine of databases) await compileManager(engine === 'postgres' ? await postgres?.newDatabase() : null);
  for (let round = 1; round <= rounds; round++) {
    const echo = await measureEcho(options);
    say(`round ${round}: echo ${echo.cpu.toFixed(2)} cores, ${echo.rssMb.toFixed(0)} MB, ${echo.open} connected\n`);
    for (const engine of databases) {
      const url = async (): Promise<string | null> =>
        engine === 'postgres' ? ((await postgres?.newDatabase()) ?? null) : null;
      const idleMb = await measureIdle(await url());
      const measured = { ...(await measureManager(options, await url(), echo.cpu)), idleMb };
      results.get(engine)?.push(measured);
      const texts = rows.flatMap(({ name, unit, digits, of }) => {
        const value = of(measured);
        return Number.isNaN(value) ? [] : `${name} ${value.toFixed(digits)} ${unit}`;
      });
      say(`  ${engine}, ${measured.stats.open} connected: ${texts.join(', ')}\n`);
    }
  }
  const minutes = (performance.now() - startedMs) / 60_000;
  say(`\n${table(results)}\n${rounds} rounds in ${minutes.toFixed(1)} min\n`);
}

/** So that the first round, too, finds its code compiled: that of the program, and that of a bench process. */
async function compileManager(url: string | null = null): Promise<void> {
  await measureIdle(url);
  using folder = temporaryFolder();
  const database = url ?? `sqlite:${join(folder.path, 'manager.db')}`;
  await using child = new BenchChild('manager-child.ts', [folder.path, database]);
  await child.answer<ServerReport>();
}

/** As operators start it, before anything connects. */
async function measureIdle(url: string | null): Promise<number> {
  const database = url === null ? {} : { database: { url } };
  await using manager = await ManagerProcess.start({ config: database, env: { ADIT_MASTER_KEY: masterKey } });
  await pause(idleMs);
  return readMemory(manager.pid).rssBytes / mebibyte;
}

async function measureEcho({ nodes, seconds }: ManagerBenchOptions): Promise<StatsFigures> {
  await using trial = await ServerTrial.echo(nodes);
  await pause(settleMs / 4);
  // Awaited here: the trial ends with this function.
  return await trial.stats(seconds);
}

async function measureManager(
  { nodes, seconds }: ManagerBenchOptions,
  url: string | null,
  echoCpu: number,
): Promise<Omit<ManagerRound, 'idleMb'>> {
  using folder = temporaryFolder();
  await using trial = await ServerTrial.manager(nodes, folder.path, url);
  await pause(settleMs);
  const stats = await trial.stats(seconds);
  const steady = await trial.events(eventsPerSecond, seconds);
  const burst = await trial.events(burstEvents, 1);
  const backMs = await trial.restart();
  return { stats, ratio: stats.cpu / echoCpu, steady, burst, backMs };
}

/** Median and spread over the rounds, as Markdown. */
function table(results: ReadonlyMap<EngineName, readonly ManagerRound[]>): string {
  const head = `| figure | to reach | ${[...results.keys()].join(' | ')} |\n| --- | --- |${' --- |'.repeat(results.size)}\n`;
  const lines = rows.map(({ name, unit, bar, digits, of }) => {
    const cells = [...results.values()].map((measured) => {
      const summary = summarise(measured.map(of).filter((value) => !Number.isNaN(value)));
      if (summary === null) return '–';
      const { median, min, max } = summary;
      return `${median.toFixed(digits)} ${unit} (${min.toFixed(digits)} – ${max.toFixed(digits)})`;
    });
    return `| ${name} | ${bar} | ${cells.join(' | ')} |\n`;
  });
  return head + lines.join('');
}
