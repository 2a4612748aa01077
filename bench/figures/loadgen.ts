import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Child } from '../child.ts';
import { untilAtRest } from '../cpu-meter.ts';
import { isTunnelRelay, type Figure, type Measurement, type Row } from './figure.ts';
import { parseLoadgen } from './loadgen-output.ts';

const deadlineMs = 90_000;
const exec = promisify(execFile);

interface Shown extends Row {
  /** Its name in loadgen's output. */
  readonly key: string;
  /** Names of what is shown beside it. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Loss above this share of the flow, in percent, is a failure. */
  readonly mostLossPercent?: number;
}

interface Command {
  readonly args: readonly string[];
  readonly shown: readonly Shown[];
  /** What another loadgen does at the same relay from before until after. */
  readonly beside?: readonly string[];
}

/** As for the benchmark's own flows. */
const flow = { key: 'relay_cpu_us/dgram', beside: { '% lost': 'loss' }, mostLossPercent: 5 } as const;

const commands: readonly Command[] = [
  {
    args: ['udp', '--rate', '10000', '--tunnels', '10', '--secs', '2'],
    shown: [{ id: 'loadgen udp 10 × 1k/s', unit: 'µs', ...flow }],
  },
  {
    args: ['udp', '--rate', '40000', '--tunnels', '40', '--secs', '2'],
    shown: [{ id: 'loadgen udp 40 × 1k/s', unit: 'µs', ...flow }],
  },
  ...[1, 64].map((streams) => ({
    args: ['tcp', '--mb', '200', '--streams', String(streams)],
    shown: [{ id: `loadgen tcp ${streams} streams`, unit: 's/GB', key: 'relay_cpu_s/GB', beside: { 'MB/s': 'MB/s' } }],
  })),
  ...['datagram', 'stream'].map((kind) => ({
    args: ['pingpong', '--n', '2000', ...(kind === 'stream' ? ['--stream'] : [])],
    shown: ['p50', 'p99'].map((key) => ({ id: `loadgen pingpong ${kind} ${key}`, unit: 'µs', key })),
  })),
  {
    args: ['handshakes', '--n', '1000'],
    shown: [{ id: 'loadgen handshake', unit: 'ms', key: 'relay_cpu_ms', beside: { '/s': 'per_s' } }],
  },
  {
    args: ['idle', '--tunnels', '200', '--secs', '5'],
    shown: [
      { id: 'loadgen relay with 400 legs', unit: 'MB', key: 'rss' },
      { id: 'loadgen idle leg CPU', unit: 'µs/s', key: 'us/leg/s' },
    ],
  },
  {
    // A relay at rest has collected the garbage of its start or not, and grows accordingly at first: no cost of a leg.
    beside: ['idle', '--tunnels', '300', '--secs', '120'],
    args: ['idle', '--tunnels', '1000', '--secs', '5'],
    shown: [{ id: 'loadgen idle leg memory', unit: 'KB', key: 'KB/leg' }],
  },
];

/**
 * The same relays with edges on a foreign QUIC stack, which also takes less CPU from the machine than edges in Node do.
 * A figure for each command: relays take turns within seconds.
 */
export function loadgenFigures(program: string): readonly Figure[] {
  return commands.map((command) => ({
    name: 'loadgen',
    rows: command.shown.map(({ id, unit }) => ({ id, unit })),
    appliesTo: isTunnelRelay,
    async *measure(world, relay) {
      const folder = join(world.folder, `loadgen-${relay.name}-${process.hrtime.bigint()}`);
      mkdirSync(folder);
      await using running = await relay.start(folder);
      await untilAtRest(running.pid);
      const place = ['--relay', running.address, '--pid', String(running.pid)];
      await using _beside = await startBeside(program, place, command.beside, join(folder, 'beside.log'));
      yield* await runCommand(program, place, command);
    },
  }));
}

/** Resolves when the legs of what runs beside the command are there. */
async function startBeside(
  program: string,
  place: readonly string[],
  args: readonly string[] | undefined,
  logPath: string,
): Promise<Child | null> {
  if (args === undefined) return null;
  const child = new Child({ name: 'loadgen', command: program, args: [...place, ...args], logPath });
  try {
    await child.says(/^setup /m);
    return child;
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

async function runCommand(
  program: string,
  place: readonly string[],
  command: Command,
): Promise<readonly Measurement[]> {
  let output: string;
  try {
    ({ stdout: output } = await exec(program, [...place, ...command.args], { timeout: deadlineMs }));
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().replaceAll('\n', ' ') : String(error);
    return command.shown.map(({ id }) => ({ kind: 'failed', row: id, reason }));
  }
  const values = parseLoadgen(output);
  return command.shown.map(({ id, key, beside = {}, mostLossPercent = 100 }) => {
    const value = values.get(key);
    if (value === undefined) return { kind: 'failed', row: id, reason: `loadgen printed no ${key}: ${output.trim()}` };
    const loss = values.get('loss') ?? 0;
    if (loss > mostLossPercent) return { kind: 'failed', row: id, reason: `${loss.toFixed(0)} % were lost` };
    const found = Object.entries(beside).map(([name, of]): [string, number] => [name, values.get(of) ?? NaN]);
    return { kind: 'value', row: id, value, beside: Object.fromEntries(found) };
  });
}
