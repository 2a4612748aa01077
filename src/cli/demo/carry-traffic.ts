import type { Clock } from '../../lib/clock.ts';
import { SystemRandom } from '../../lib/random.ts';
import { CommandFailed } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import type { DemoTunnel, DemoWorld } from './demo-config.ts';
import { droppedBy, readTunnels, viewLegend, viewLine } from './demo-view.ts';
import { lostWhere, readPassages } from './lost-packets.ts';
import { heavyMachineLoad } from './machine-load.ts';
import { exchangeTcp, type TcpExchangeResult, type TcpProgress } from './tcp-exchange.ts';
import { runUdpFlow, srtPacketBytes, type UdpFlowResult, type UdpProgress } from './udp-flow.ts';

export interface TrafficPlan {
  /** How much TCP data is sent each way. */
  readonly megabytes: number;
  /** Of the UDP stream: how long it lasts, and packets a second. */
  readonly seconds: number;
  readonly rate: number;
}

const viewPeriodMs = 1000;
/** More than this is a defect, where the machine has room. */
const toleratedLoss = 0.01;
/** An edge drops what has waited for 100 ms (conformance S6), and where processes wait for a core, packets do. */
const toleratedLossUnderLoad = 0.5;
/** Where more is lost than is tolerated without load, the stream is sent again: a busy moment says little. */
const mostStreams = 3;

/**
 * Sends TCP both ways and then a UDP stream through the demo's tunnels, and prints what became of them. Not at once:
 * this process makes and checks all traffic, and a bulk transfer would delay what it measures. Throws CommandFailed
 * with all that is not as it should be.
 */
export async function carryTraffic(
  plan: TrafficPlan,
  world: DemoWorld,
  clock: Clock,
  terminal: Terminal,
): Promise<void> {
  terminal.out(`\n${viewLegend}\n`);
  const tcp = await carryTcp(plan, world, clock, terminal);
  const udp = await carryUdp(plan, world, clock, terminal);
  const tunnels = await readTunnels(world);
  terminal.out(`The relay dropped ${tunnels.map(droppedBy).reduce((a, b) => a + b, 0)} datagrams.\n`);
  judge(tcp, udp, terminal);
}

async function carryTcp(
  { megabytes }: TrafficPlan,
  world: DemoWorld,
  clock: Clock,
  terminal: Terminal,
): Promise<TcpExchangeResult> {
  const progress: TcpProgress = { receivedBytes: 0 };
  const startMs = clock.monotonicMs();
  const exchange = exchangeTcp({ ...world.tcp, bytes: megabytes * 1e6 }, new SystemRandom(), progress);
  const rate: Rate = { count: () => progress.receivedBytes / 1e6, words: (rate) => `${rate.toFixed(1)} MB/s` };
  await showUntil(exchange, world.tcp, rate, world, clock, terminal);
  const result = await exchange;
  const seconds = (clock.monotonicMs() - startMs) / 1000;
  const inAll = ((2 * megabytes) / seconds).toFixed(0);
  terminal.out(
    `\nTCP  ${megabytes} MB each way in ${seconds.toFixed(1)} s (${inAll} MB/s in all): ` +
      `${result.intact ? 'both hashes equal' : 'DAMAGED'}\n\n`,
  );
  return result;
}

/** The result of the first stream that lost next to nothing, or of the last one. */
async function carryUdp(
  { rate: packetsPerSec, seconds }: TrafficPlan,
  world: DemoWorld,
  clock: Clock,
  terminal: Terminal,
): Promise<UdpFlowResult> {
  for (let left = mostStreams; ; left--) {
    const progress: UdpProgress = { sent: 0, received: 0 };
    const before = await readPassages(world);
    const flow = runUdpFlow({ ...world.udp, packetsPerSec, seconds }, clock, progress);
    const rate: Rate = { count: () => progress.received, words: (rate) => `${rate.toFixed(0)} packets/s` };
    await showUntil(flow, world.udp, rate, world, clock, terminal);
    const result = await flow;
    const { sent, received, damaged, latencyMs } = result;
    terminal.out(
      [
        '',
        `UDP  ${sent} packets of ${srtPacketBytes} bytes sent, ${sent - received} lost, ${damaged} damaged;`,
        `     one way p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms`,
        ...(received < sent ? lostWhere(before, await readPassages(world), sent, received) : []),
        '',
      ].join('\n'),
    );
    if (left === 1 || sent - received <= sent * toleratedLoss) return result;
    terminal.out('\nthe stream once more, as a busy machine may be the reason:\n');
  }
}

/** How fast something is, by a count that only grows. */
interface Rate {
  readonly count: () => number;
  readonly words: (perSecond: number) => string;
}

/** Prints a line a second about that tunnel until `done` settles. */
async function showUntil(
  done: Promise<unknown>,
  { protocol }: DemoTunnel,
  { count, words }: Rate,
  world: DemoWorld,
  clock: Clock,
  terminal: Terminal,
): Promise<void> {
  const finished = done.then(
    () => 'finished' as const,
    () => 'finished' as const,
  );
  for (;;) {
    const before = count();
    const startMs = clock.monotonicMs();
    const tick = Promise.withResolvers<'tick'>();
    const timer = clock.setTimeout(() => tick.resolve('tick'), viewPeriodMs);
    const what = await Promise.race([tick.promise, finished]);
    timer.cancel();
    if (what === 'finished') return;
    const tunnel = (await readTunnels(world)).find((each) => each.protocol === protocol);
    const perSecond = ((count() - before) * 1000) / (clock.monotonicMs() - startMs);
    if (tunnel !== undefined) terminal.out(`${viewLine(tunnel, words(perSecond))}\n`);
  }
}

function judge(tcp: TcpExchangeResult, udp: UdpFlowResult, terminal: Terminal): void {
  const lost = udp.sent - udp.received;
  const load = heavyMachineLoad();
  if (load !== null) {
    terminal.out(`This machine is busy (load ${load.toFixed(1)}): rates say little, and packets may be lost.\n`);
  }
  const problems = [
    ...(tcp.intact ? [] : ['the TCP data that arrived is not what was sent']),
    ...(udp.damaged === 0 ? [] : [`${udp.damaged} UDP packets arrived damaged or twice`]),
    ...(lost <= udp.sent * (load === null ? toleratedLoss : toleratedLossUnderLoad)
      ? []
      : [`${lost} of ${udp.sent} UDP packets were lost`]),
  ];
  if (problems.length > 0) throw new CommandFailed(`the demo failed: ${problems.join('; ')}`);
}
