import process from 'node:process';
import { parseArgs } from 'node:util';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { readMemory } from '../procfs.ts';
import { BenchPrograms, pause } from './bench-programs.ts';
import { endsOf, flows, mediamtx, srtLiveTransmit, type FlowRelay, type Lane } from './flow-relays.ts';
import { measureIsolation } from './isolation.ts';
import { measureViewers } from './viewers.ts';

interface MediaBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly viewers: boolean;
}

/** `--media [--rounds 5] [--seconds 15] [--viewers]`; null for another benchmark. */
export function readMediaBench(args: readonly string[]): MediaBenchOptions | null {
  if (!args.includes('--media')) return null;
  const { values } = parseArgs({
    args: [...args],
    options: {
      media: { type: 'boolean' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '15' },
      viewers: { type: 'boolean', default: false },
    },
  });
  return { rounds: Number(values.rounds), seconds: Number(values.seconds), viewers: values.viewers };
}

const flowBits = 10_000_000;
/** Each relay carries the stream for so long before it is measured: Node compiles what runs often. */
const warmUpMs = 15_000;

interface Use {
  /** Of a core, for one flow. */
  readonly cpu: number;
  readonly rssMb: number;
  /** That came out of one flow. */
  readonly megabits: number;
}

/** Ratios of each round. */
interface Ratios {
  readonly one: number[];
  readonly ten: number[];
  readonly mediamtx: number[];
  readonly furtherMb: number[];
  readonly ping: number[];
}

/**
 * 10 Mbit/s from SRT to SRT through srt-live-transmit, a flow of an edge, and mediamtx where `MEDIAMTX` names one, in
 * turns. Then a tunnel's ping beside four flows, and with `--viewers` WHEP viewers of one flow. A second edge sends and
 * receives, and is not measured.
 */
export async function runMediaBench(
  { rounds, seconds, viewers }: MediaBenchOptions,
  say: (text: string) => void,
): Promise<void> {
  say(`${JSON.stringify(describeMachine())}, ${describeCommit() ?? 'no commit'}: 10 Mbit/s SRT to SRT, ${seconds} s\n`);
  const ratios: Ratios = { one: [], ten: [], mediamtx: [], furtherMb: [], ping: [] };
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round}\n`);
    await runRound(seconds, ratios, say);
  }
  const goal = (name: string, values: readonly number[], most: string): void => {
    if (values.length > 0) say(`median ${name}: ${median(values).toFixed(2)} (to reach: at most ${most})\n`);
  };
  goal('of one flow to srt-live-transmit', ratios.one, '1.30');
  goal('of each of ten flows to srt-live-transmit', ratios.ten, '0.70');
  goal('of one flow to mediamtx', ratios.mediamtx, '0.60');
  goal('MB of a further flow', ratios.furtherMb, '4');
  goal("of a tunnel's ping (p99) beside four flows to without", ratios.ping, '1.30');
  if (!viewers) return;
  await measureViewers(seconds, (use) => {
    const each = percent(use.cpu / use.viewers);
    say(`${use.viewers} WHEP viewers: ${percent(use.cpu)} of a core, ${each} each, media thread `);
    say(`${percent(use.busiestThread)}; ${percent(use.kept)} of the stream's rate reached them\n`);
  });
}

async function runRound(seconds: number, ratios: Ratios, say: (text: string) => void): Promise<void> {
  const theirs = await measure(srtLiveTransmit, 1, seconds);
  say(`  srt-live-transmit ${line(theirs)}\n`);
  const single = await measure(flows, 1, seconds);
  ratios.one.push(single.cpu / theirs.cpu);
  say(`  a flow ${line(single)}; ratio ${(single.cpu / theirs.cpu).toFixed(2)}\n`);
  const shared = await measure(flows, 10, seconds);
  ratios.ten.push(shared.cpu / theirs.cpu);
  ratios.furtherMb.push((shared.rssMb - single.rssMb) / 9);
  say(`  each of ten ${line(shared)}; ratio ${(shared.cpu / theirs.cpu).toFixed(2)}\n`);
  const path = process.env['MEDIAMTX'];
  if (path !== undefined) {
    const server = await measure(mediamtx(path), 1, seconds);
    ratios.mediamtx.push(single.cpu / server.cpu);
    say(`  mediamtx ${line(server)}; a flow is ${(single.cpu / server.cpu).toFixed(2)} of it\n`);
  }
  const { aloneMs, besideMs, elsewhereMs } = await measureIsolation(seconds / 2);
  ratios.ping.push(besideMs / aloneMs);
  say(`  ping through a tunnel, p99: ${aloneMs.toFixed(2)} ms, ${besideMs.toFixed(2)} ms beside four flows, `);
  say(`${elsewhereMs.toFixed(2)} ms with as many in another edge\n`);
}

function line({ cpu, rssMb, megabits }: Use): string {
  return `${percent(cpu)} of a core, RSS ${rssMb.toFixed(0)} MB, ${megabits.toFixed(1)} Mbit/s out`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function measure(relay: FlowRelay, count: number, seconds: number): Promise<Use> {
  await using programs = new BenchPrograms();
  const lanes: Lane[] = [];
  for (let index = 0; index < count; index++) {
    lanes.push({ feedPort: await freePort(), inPort: await freePort(), outPort: await freePort() });
  }
  const child = await relay.start(lanes, programs);
  const ends = await programs.startEdge('ends', { flows: lanes.flatMap((lane, at) => endsOf(relay, lane, at)) });
  programs.feed(
    lanes.map(({ feedPort }) => feedPort),
    flowBits,
  );
  await ends.receives('sink', count, flowBits * 0.8);
  await pause(warmUpMs);
  const pid = child.pid ?? 0;
  const meter = new CpuMeter({ relay: pid });
  const before = await ends.receivedBytes('sink');
  await pause(seconds * 1000);
  const use = meter.read();
  const after = await ends.receivedBytes('sink');
  return {
    cpu: cpuMsOf(use, 'relay') / use.wallMs / count,
    rssMb: readMemory(pid).rssBytes / 1_048_576,
    megabits: ((after - before) * 8) / 1000 / use.wallMs / count,
  };
}
