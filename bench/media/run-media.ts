import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { readMemory } from '../procfs.ts';

interface MediaBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** `--media [--rounds 5] [--seconds 20]`; null for another benchmark. */
export function readMediaBench(args: readonly string[]): MediaBenchOptions | null {
  if (!args.includes('--media')) return null;
  const { values } = parseArgs({
    args: [...args],
    options: {
      media: { type: 'boolean' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '20' },
    },
  });
  return { rounds: Number(values.rounds), seconds: Number(values.seconds) };
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const flowBits = 10_000_000;
const chunkBytes = 7 * 188;
const pacePeriodMs = 4;
const connectMs = 30_000;

/** One flow through the relay under test: SRT in, SRT out. */
interface Lane {
  readonly feedPort: number;
  readonly inPort: number;
  readonly outPort: number;
}

interface Use {
  /** Of a core, for one flow. */
  readonly cpu: number;
  readonly rssMb: number;
  /** That came out of one flow. */
  readonly megabits: number;
}

/** What carries the lanes; returns the process that is measured. */
type StartRelay = (lanes: readonly Lane[], bench: Bench) => Promise<ChildProcess>;

/**
 * 10 Mbit/s from SRT to SRT through srt-live-transmit and through a flow of an edge, in turns. A second edge sends and
 * receives, and is not measured.
 */
export async function runMediaBench(
  { rounds, seconds }: MediaBenchOptions,
  say: (text: string) => void,
): Promise<void> {
  say(`${JSON.stringify(describeMachine())}, ${describeCommit() ?? 'no commit'}: 10 Mbit/s SRT to SRT, ${seconds} s\n`);
  const [one, ten]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round++) {
    const theirs = await measure(startSrtLiveTransmit, 1, seconds);
    const single = await measure(startFlows, 1, seconds);
    const shared = await measure(startFlows, 10, seconds);
    one.push(single.cpu / theirs.cpu);
    ten.push(shared.cpu / theirs.cpu);
    say(`round ${round}: srt-live-transmit ${line(theirs)}\n`);
    say(`         a flow ${line(single)}; ratio ${ratio(one.at(-1))}\n`);
    say(`         each of ten ${line(shared)}; ratio ${ratio(ten.at(-1))}\n`);
    say(`         a further flow ${((shared.rssMb - single.rssMb) / 9).toFixed(1)} MB\n`);
  }
  say(`median ratio ${ratio(median(one))} for one flow (to reach: at most 1.30), `);
  say(`${ratio(median(ten))} for each of ten (to reach: at most 0.70)\n`);
}

function line({ cpu, rssMb, megabits }: Use): string {
  return `${(cpu * 100).toFixed(1)} % of a core, RSS ${rssMb.toFixed(0)} MB, ${megabits.toFixed(1)} Mbit/s out`;
}

function ratio(value: number | undefined): string {
  return (value ?? Number.NaN).toFixed(2);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function measure(start: StartRelay, flows: number, seconds: number): Promise<Use> {
  await using bench = new Bench();
  const lanes: Lane[] = [];
  for (let index = 0; index < flows; index++) {
    lanes.push({ feedPort: await freePort(), inPort: await freePort(), outPort: await freePort() });
  }
  const relay = await start(lanes, bench);
  const ends = await bench.startEdge('ends', lanes.flatMap(endsOf));
  bench.feed(lanes.map(({ feedPort }) => feedPort));
  await ends.receives(flows);
  const pid = relay.pid ?? 0;
  const meter = new CpuMeter({ relay: pid });
  const before = await ends.receivedBytes();
  await pause(seconds * 1000);
  const use = meter.read();
  const after = await ends.receivedBytes();
  return {
    cpu: cpuMsOf(use, 'relay') / use.wallMs / flows,
    rssMb: readMemory(pid).rssBytes / 1_048_576,
    megabits: ((after - before) * 8) / 1000 / use.wallMs / flows,
  };
}

function endsOf({ feedPort, inPort, outPort }: Lane, index: number): object[] {
  const input = { type: 'udp', bind_addr: `127.0.0.1:${feedPort}` };
  const output = { id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${inPort}` };
  const sink = { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${outPort}` };
  return [
    { id: `source-${index}`, name: 'Source', media_analysis: false, input, outputs: [output] },
    { id: `sink-${index}`, name: 'Sink', media_analysis: false, input: sink },
  ];
}

const startSrtLiveTransmit: StartRelay = ([lane], bench) => {
  if (lane === undefined) throw new Error('no lane');
  const from = `srt://127.0.0.1:${lane.inPort}?mode=listener`;
  const to = `srt://127.0.0.1:${lane.outPort}?mode=caller`;
  return Promise.resolve(bench.run('srt-live-transmit', ['-q', '-a:yes', '-chunk:1316', from, to]));
};

const startFlows: StartRelay = async (lanes, bench) => {
  const flows = lanes.map(({ inPort, outPort }, index) => ({
    ...{ id: `flow-${index}`, name: 'Flow' },
    input: { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${inPort}` },
    outputs: [{ id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${outPort}` }],
  }));
  return (await bench.startEdge('relay', flows)).child;
};

interface FlowStats {
  readonly flow_id: string;
  readonly input: { readonly bytes_received: number; readonly bitrate_bps: number } | null;
}

/** An edge in a process of its own. */
class BenchEdge {
  readonly child: ChildProcess;
  readonly #url: string;

  constructor(child: ChildProcess, apiAddr: string) {
    this.child = child;
    this.#url = `http://${apiAddr}/api/v1/flows`;
  }

  /** Waits until every sink gets its stream. */
  async receives(flows: number): Promise<void> {
    const deadline = performance.now() + connectMs;
    for (;;) {
      const rates = (await this.#sinks()).map(({ input }) => input?.bitrate_bps ?? 0);
      if (rates.filter((rate) => rate > flowBits * 0.8).length === flows) return;
      if (performance.now() > deadline) throw new Error(`not all streams came through: ${rates.join(', ')} bit/s`);
      await pause(500);
    }
  }

  async receivedBytes(): Promise<number> {
    return (await this.#sinks()).reduce((sum, { input }) => sum + (input?.bytes_received ?? 0), 0);
  }

  async #sinks(): Promise<readonly FlowStats[]> {
    const answer = await fetch(this.#url).catch(() => null);
    const flows = answer === null ? [] : ((await answer.json()) as readonly FlowStats[]);
    return flows.filter(({ flow_id: id }) => id.startsWith('sink'));
  }
}

/** Everything that one measurement has started. */
class Bench implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'adit-bench-media-'));
  readonly #children: ChildProcess[] = [];
  readonly #socket = createSocket('udp4');
  #timer: NodeJS.Timeout | null = null;

  run(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  async startEdge(name: string, flows: readonly object[]): Promise<BenchEdge> {
    const apiAddr = `127.0.0.1:${await freePort()}`;
    const path = join(this.#folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ edge_id: name, api_addr: apiAddr, log_level: 'error', tunnels: [], flows }));
    const child = this.run(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'edge', '-c', path]);
    return new BenchEdge(child, apiAddr);
  }

  /** Null packets at 10 Mbit/s to each port. */
  feed(ports: readonly number[]): void {
    const chunk = Buffer.alloc(chunkBytes, 0xff);
    for (let at = 0; at < chunkBytes; at += 188) chunk.set([0x47, 0x1f, 0xff, 0x10], at);
    const startMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startMs) * flowBits) / 8000 / chunkBytes);
      for (; sent < due; sent++) for (const port of ports) this.#socket.send(chunk, port, '127.0.0.1');
    }, pacePeriodMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#socket.close();
    for (const child of this.#children) {
      if (child.exitCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
