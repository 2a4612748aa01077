import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { readMemory } from '../procfs.ts';

interface ManagerBenchOptions {
  readonly nodes: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** `--manager [--nodes 5000] [--rounds 5] [--seconds 20]`; null for another benchmark. */
export function readManagerBench(args: readonly string[]): ManagerBenchOptions | null {
  if (!args.includes('--manager')) return null;
  const { values } = parseArgs({
    args: [...args],
    options: {
      manager: { type: 'boolean' },
      nodes: { type: 'string', default: '5000' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '20' },
    },
  });
  return { nodes: Number(values.nodes), rounds: Number(values.rounds), seconds: Number(values.seconds) };
}

interface Round {
  readonly cpu: number;
  readonly rssMb: number;
  readonly connectedMs: number;
  readonly open: number;
  readonly writes: number | null;
}

const nodesPerChild = 2_500;
/** Until what a connection brings with it (replay, compare) is over. */
const settleMs = 12_000;

/** Stats of many nodes at a manager, beside a bare `ws` echo of the same frames over the same TLS, in turns. */
export async function runManagerBench(options: ManagerBenchOptions, say: (text: string) => void): Promise<void> {
  const { nodes, rounds, seconds } = options;
  say(
    `${JSON.stringify(describeMachine())}, ${describeCommit() ?? 'no commit'}: ${nodes} nodes × 1 stats frame of 2 KB a second, ${seconds} s\n`,
  );
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const echo = await measure('echo-child.ts', 'plain', options);
    const manager = await measure('manager-child.ts', 'auth', options);
    const ratio = manager.cpu / echo.cpu;
    ratios.push(ratio);
    say(`round ${round}: ${line('echo', echo)}\n         ${line('manager', manager)}; ratio ${ratio.toFixed(2)}\n`);
  }
  const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
  say(
    `median ratio ${median.toFixed(2)} (to reach: at most 1.50; RSS at most 500 MB; 0 writes from stats: the lease alone makes some)\n`,
  );
}

function line(name: string, { cpu, rssMb, connectedMs, open, writes }: Round): string {
  const written = writes === null ? '' : `, ${writes} database writes`;
  const connected = (connectedMs / 1000).toFixed(1);
  return `${name} ${cpu.toFixed(2)} of a core, RSS ${rssMb.toFixed(0)} MB, ${open} connected in ${connected} s${written}`;
}

async function measure(script: string, mode: string, { nodes, seconds }: ManagerBenchOptions): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'adit-bench-manager-'));
  const children: ChildProcess[] = [];
  try {
    const server = start(script, [String(nodes), folder], children);
    const { port } = await told<{ port: number }>(server);
    const clients: ChildProcess[] = [];
    let connectedMs = 0;
    for (let from = 0; from < nodes; from += nodesPerChild) {
      const count = Math.min(nodesPerChild, nodes - from);
      const args = [`wss://127.0.0.1:${port}/ws/node`, String(count), mode, String(from)];
      const client = start('nodes-child.ts', args, children);
      connectedMs += (await told<{ connectedMs: number }>(client)).connectedMs;
      clients.push(client);
    }
    await pause(settleMs);
    const before = await writesOf(server, mode);
    const meter = new CpuMeter({ server: server.pid ?? 0 });
    await pause(seconds * 1000);
    const use = meter.read();
    const after = await writesOf(server, mode);
    let open = 0;
    for (const client of clients) {
      client.send('how many');
      open += (await told<{ open: number }>(client)).open;
    }
    const rssMb = readMemory(server.pid ?? 0).rssBytes / 1_048_576;
    const writes = before === null || after === null ? null : after - before;
    return { cpu: cpuMsOf(use, 'server') / use.wallMs, rssMb, connectedMs, open, writes };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function writesOf(server: ChildProcess, mode: string): Promise<number | null> {
  if (mode === 'plain') return null;
  server.send('how many');
  return (await told<{ writes: number }>(server)).writes;
}

function start(script: string, args: readonly string[], children: ChildProcess[]): ChildProcess {
  const child = fork(join(import.meta.dirname, script), args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
  children.push(child);
  return child;
}

async function told<Message>(child: ChildProcess): Promise<Message> {
  const [message] = (await once(child, 'message')) as [Message];
  return message;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
