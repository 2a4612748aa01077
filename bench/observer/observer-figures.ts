import process from 'node:process';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import type { Measurement, Row } from '../figures/figure.ts';
import { readMemory } from '../procfs.ts';
import { startObserver, type ExportLine, type ObserverProgram } from './observer-under-test.ts';
import { runAgents, type AgentLoad } from './watched-agents.ts';

/** Something that is measured at one observer in one go. */
export interface ObserverFigure {
  readonly name: string;
  readonly rows: readonly Row[];
  measure(program: ObserverProgram, folder: string): Promise<readonly Measurement[]>;
}

const noLimits = ['--max-beat-rate', '0', '--global-beat-rate', '0'];
const idleSeconds = 5;
const stopThresholds = 3;
const stopThresholdMs = 500;
const udpThresholdMs = 1000;

export const observerFigures: readonly ObserverFigure[] = [
  load('flood', { count: 2, rate: 0, seconds: 4 }),
  load('1k/s', { count: 200, rate: 5, seconds: 8 }),
  load('5k/s', { count: 500, rate: 10, seconds: 8 }),
  { name: 'udp', rows: [{ id: 'udp 200 x 5/s', unit: 'false Stalls' }], measure: measureUdp },
  { name: 'stopped', rows: [{ id: 'after SIGSTOP of 3 thresholds', unit: 'false Stalls' }], measure: measureStopped },
  { name: 'lateness', rows: [{ id: 'Stall lateness', unit: 'ms at most' }], measure: measureLateness },
  {
    name: 'idle',
    rows: [
      { id: 'idle memory', unit: 'MB RSS' },
      { id: 'idle CPU', unit: 'ms/s' },
    ],
    measure: measureIdle,
  },
];

/** CPU per beat and the share of refused beats under a load over the UNIX socket. */
function load(name: string, agents: Omit<AgentLoad, 'target'>): ObserverFigure {
  const [cpu, refused] = [`CPU a beat, ${name}`, `refused, ${name}`];
  return {
    name,
    rows: [
      { id: cpu, unit: 'µs' },
      { id: refused, unit: '%' },
    ],
    async measure(program, folder) {
      const flags = ['--threshold-ms', '60000', '--tracker-capacity', '1024', ...noLimits];
      await using observer = await startObserver(program, folder, { flags, exports: false });
      const meter = new CpuMeter({ [program.name]: observer.pid });
      const { sent, refused: lost } = await runAgents({ ...agents, target: `unix:${observer.socket}` });
      const cpuMs = cpuMsOf(meter.read(), program.name);
      return [
        { kind: 'value', row: cpu, value: (cpuMs * 1000) / sent, beside: { 'beats/s': sent / agents.seconds } },
        { kind: 'value', row: refused, value: (100 * lost) / (sent + lost) },
      ];
    },
  };
}

async function measureUdp(program: ObserverProgram, folder: string): Promise<readonly Measurement[]> {
  const row = 'udp 200 x 5/s';
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const udp = ['--udp-port', String(port), '--udp-bind-addr', '127.0.0.1', '--i-accept-plaintext-udp'];
  const flags = ['--threshold-ms', String(udpThresholdMs), '--tracker-capacity', '1024', ...udp];
  await using observer = await startObserver(program, folder, { flags, exports: true });
  const agents = await runAgents({ target: `udp:${port}`, count: 200, rate: 5, seconds: 8 });
  const lines = await observer.finish();
  const accepted = lines.filter(({ kind }) => kind === 'beat').length;
  // Agents end within a threshold of each other; whoever is silent before the last beat was accused falsely.
  const lastBeat = Math.max(...lines.filter(({ kind }) => kind === 'beat').map(({ ns }) => ns));
  const value = lines.filter(({ kind, ns }) => kind === 'stall' && ns < lastBeat - udpThresholdMs * 1e6).length;
  return [{ kind: 'value', row, value, beside: { '% accepted': (100 * accepted) / agents.sent } }];
}

/** The observer stands still while its agents go on. */
async function measureStopped(program: ObserverProgram, folder: string): Promise<readonly Measurement[]> {
  const flags = ['--threshold-ms', String(stopThresholdMs)];
  await using observer = await startObserver(program, folder, { flags, exports: true });
  const agents = runAgents({ target: `unix:${observer.socket}`, count: 20, rate: 10, seconds: 5 });
  await pause(2000);
  process.kill(observer.pid, 'SIGSTOP');
  await pause(stopThresholds * stopThresholdMs);
  process.kill(observer.pid, 'SIGCONT');
  const { longestMs } = await agents;
  const lines = await observer.finish();
  const lastBeat = Math.max(...lines.filter(({ kind }) => kind === 'beat').map(({ ns }) => ns));
  const value = lines.filter(({ kind, ns }) => kind === 'stall' && ns < lastBeat).length;
  return [
    { kind: 'value', row: 'after SIGSTOP of 3 thresholds', value, beside: { 'ms between beats at most': longestMs } },
  ];
}

/** How long after its due time the Stall of an agent that has ended comes. */
async function measureLateness(program: ObserverProgram, folder: string): Promise<readonly Measurement[]> {
  const flags = ['--threshold-ms', String(stopThresholdMs)];
  await using observer = await startObserver(program, folder, { flags, exports: true });
  await runAgents({ target: `unix:${observer.socket}`, count: 20, rate: 5, seconds: 3 });
  await pause(2 * stopThresholdMs);
  const late = latenesses(await observer.finish(), stopThresholdMs).toSorted((a, b) => a - b);
  if (late.length === 0) return [{ kind: 'failed', row: 'Stall lateness', reason: 'no Stall came' }];
  const median = late[Math.floor(late.length / 2)] ?? NaN;
  return [{ kind: 'value', row: 'Stall lateness', value: late.at(-1) ?? NaN, beside: { 'ms median': median } }];
}

/** In milliseconds, of every Stall. */
function latenesses(lines: readonly ExportLine[], thresholdMs: number): number[] {
  const lastBeats = new Map<number, number>();
  const late: number[] = [];
  for (const { ns, kind, pid } of lines) {
    if (kind === 'beat') lastBeats.set(pid, ns);
    if (kind === 'stall') late.push((ns - (lastBeats.get(pid) ?? ns)) / 1e6 - thresholdMs);
  }
  return late;
}

async function measureIdle(program: ObserverProgram, folder: string): Promise<readonly Measurement[]> {
  await using observer = await startObserver(program, folder, { flags: ['--threshold-ms', '1000'], exports: false });
  await pause(2000);
  const meter = new CpuMeter({ [program.name]: observer.pid });
  await pause(idleSeconds * 1000);
  const cpuMs = cpuMsOf(meter.read(), program.name);
  const { rssBytes } = readMemory(observer.pid);
  return [
    { kind: 'value', row: 'idle memory', value: rssBytes / 1e6 },
    { kind: 'value', row: 'idle CPU', value: cpuMs / idleSeconds },
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
