import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { builtEngines } from '../columns.ts';
import { CpuMeter, type CpuUse } from '../cpu-meter.ts';
import type { Measurement, Row } from '../figures/figure.ts';
import { measureOrFail } from '../figures/measure-or-fail.ts';
import { choose, type BenchOptions } from '../options.ts';
import { MediaSink, runMediaFlow } from '../paths/media-flow.ts';
import { ownCheckout } from '../relays/adit-relay.ts';
import { resultsOfRounds } from '../report/results-of-rounds.ts';
import { formatReport } from '../report/table.ts';
import { inRounds } from '../rounds.ts';
import { aditChain } from './adit-chain.ts';
import { chainPlot } from './chain-plot.ts';
import type { Chain, RunningChain } from './chain.ts';
import { frpChain } from './frp-chain.ts';
import { TcpSink } from './tcp-sink.ts';

const rows = {
  tcpRate: { id: 'TCP one way', unit: 'MB/s' },
  tcpCpu: { id: 'TCP, CPU of all three', unit: 's/GB' },
  udpLoss: { id: 'UDP 1316 B at 5k/s, lost', unit: '%' },
  udpCpu: { id: 'UDP 1316 B at 5k/s, CPU of all three', unit: 'µs' },
  udpP99: { id: 'UDP 1316 B at 5k/s, p99', unit: 'ms' },
} satisfies Record<string, Row>;

const tcpMs = 5000;
const payloadBytes = 1316;
const rate = { perSecond: 5000, seconds: 5 };
const warmUpMs = 300;
const warmUpRate = { perSecond: 200, seconds: 1 };

/** From a local program through an edge, a relay and an edge to a local program, beside frp. Columns take turns. */
export async function runChain(options: BenchOptions, folder: string, say: (line: string) => void) {
  const engines = await builtEngines();
  const chains = choose(listChains(engines), options.relays);
  const rounds = await inRounds(options, say, async (record, round) => {
    for (const chain of chains) {
      const place = join(folder, `${chain.name}-${round}`);
      const measurements = await measureOrFail(Object.values(rows), () => measure(chain, place));
      record.add(chain.name, measurements);
      say(`  ${chain.name}: ${measurements.map(shortly).join(', ')}`);
    }
  });
  const layout = { columns: chains, rows: Object.values(rows), reference: 'frp', engines };
  const results = resultsOfRounds(rounds, layout);
  const plot = chainPlot(results);
  const files = new Map(plot === null ? [] : [['frp.svg', plot]]);
  return { results, text: formatReport(results), files };
}

function listChains(engines: Awaited<ReturnType<typeof builtEngines>>): readonly Chain[] {
  const { FRPS: frps, FRPC: frpc, BASE: base } = process.env;
  if ((frps === undefined) !== (frpc === undefined))
    throw new Error('FRPS and FRPC: name both programs of frp, or none');
  return [
    ...engines.map((engine) => aditChain(engine, engine, ownCheckout)),
    ...(base === undefined ? [] : engines.map((engine) => aditChain(`base ${engine}`, engine, base))),
    ...(frps === undefined || frpc === undefined ? [] : [frpChain({ frps, frpc })]),
  ];
}

function shortly(measurement: Measurement): string {
  return measurement.kind === 'value'
    ? `${measurement.row} ${measurement.value.toPrecision(3)}`
    : `FAILED: ${measurement.reason}`;
}

async function measure(chain: Chain, folder: string): Promise<readonly Measurement[]> {
  mkdirSync(folder);
  await using tcp = await TcpSink.open();
  await using udp = await MediaSink.open();
  await using running = await chain.start(folder, { tcp: tcp.address, udp: udp.address });
  await tcp.pull(running.entry.tcp, warmUpMs);
  await runMediaFlow({ to: running.entry.udp, sink: udp, bytes: payloadBytes, rate: warmUpRate });
  return [...(await measureTcp(running, tcp)), ...(await measureUdp(running, udp))];
}

async function measureTcp({ pids, entry }: RunningChain, sink: TcpSink): Promise<readonly Measurement[]> {
  const meter = new CpuMeter(pids);
  const { bytes, wallMs } = await sink.pull(entry.tcp, tcpMs);
  const use = meter.read();
  const perGb = (cpuMs: number): number => cpuMs / 1000 / (bytes / 1e9);
  return [
    { kind: 'value', row: rows.tcpRate.id, value: bytes / 1e6 / (wallMs / 1000) },
    { kind: 'value', row: rows.tcpCpu.id, value: perGb(allCpuMs(use)), beside: split(use, perGb) },
  ];
}

async function measureUdp({ pids, entry }: RunningChain, sink: MediaSink): Promise<readonly Measurement[]> {
  const meter = new CpuMeter(pids);
  const { sent, delivered, p99Ms } = await runMediaFlow({ to: entry.udp, sink, bytes: payloadBytes, rate });
  const use = meter.read();
  if (delivered === 0) throw new Error('no datagram arrived');
  const each = (cpuMs: number): number => (cpuMs * 1000) / delivered;
  return [
    { kind: 'value', row: rows.udpLoss.id, value: (100 * (sent - delivered)) / sent },
    { kind: 'value', row: rows.udpCpu.id, value: each(allCpuMs(use)), beside: split(use, each) },
    { kind: 'value', row: rows.udpP99.id, value: p99Ms },
  ];
}

function allCpuMs({ processes }: CpuUse): number {
  return processes.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** What each of the three programs used. */
function split({ processes }: CpuUse, per: (cpuMs: number) => number): Record<string, number> {
  return Object.fromEntries(processes.map(({ name, cpuMs }) => [name, per(cpuMs)]));
}
