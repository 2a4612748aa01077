import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, type Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { nodeHttp } from '../../lib/node-http.ts';
import { SystemRandom } from '../../lib/random.ts';
import { CommandFailed } from '../failure.ts';
import { waitForShutdownSignal } from '../service/shutdown-signal.ts';
import type { Terminal } from '../terminal.ts';
import { compareEngines } from './compare-engines.ts';
import { planDemo, type DemoWorld } from './demo-config.ts';
import { carryMedia } from './carry-media.ts';
import { droppedBy, readTunnels, viewLegend, viewLine, type TunnelRow } from './demo-view.ts';
import { heavyMachineLoad } from './machine-load.ts';
import { makeTunnels } from './make-tunnels.ts';
import { startPrograms, type DemoPrograms } from './start-programs.ts';
import { stopRelay } from './stop-relay.ts';
import { showPicture } from './picture-page.ts';
import { exchangeTcp, type TcpExchangeResult, type TcpProgress } from './tcp-exchange.ts';
import { runUdpFlow, srtPacketBytes, type UdpFlowResult, type UdpProgress } from './udp-flow.ts';

export interface DemoOptions {
  readonly seconds: number;
  readonly megabytes: number;
  readonly rate: number;
  /** How long the TCP rate of each engine is measured, in seconds; 0 leaves the comparison out. */
  readonly compare: number;
  readonly media: boolean;
  readonly keep: boolean;
}

interface Traffic {
  readonly tcp: TcpProgress;
  readonly udp: UdpProgress;
}

const viewPeriodMs = 1000;
/** More than this is a defect, where the machine has room. */
const toleratedLoss = 0.01;
/** An edge drops what has waited for 100 ms (conformance S6), and where processes wait for a core, packets do. */
const toleratedLossUnderLoad = 0.5;

export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<void> {
  const shutdown = waitForShutdownSignal();
  const signals: NodeJS.Signals[] = [];
  void shutdown.then((signal) => signals.push(signal));
  const folder = mkdtempSync(join(tmpdir(), 'adit-demo-'));
  const acts: Promise<void>[] = [];
  try {
    await runIn(folder, options, { shutdown, acts, terminal });
  } catch (cause) {
    const [signal] = signals;
    if (signal === undefined) throw cause;
    throw new CommandFailed(`interrupted by ${signal}`, { cause });
  } finally {
    // Ctrl-C leaves an act behind that stops its own programs.
    await Promise.allSettled(acts);
    rmSync(folder, { recursive: true });
  }
}

interface Stage {
  readonly shutdown: Promise<NodeJS.Signals>;
  /** What goes on beside the wait for Ctrl-C. */
  readonly acts: Promise<void>[];
  readonly terminal: Terminal;
}

async function runIn(folder: string, options: DemoOptions, { shutdown, acts, terminal }: Stage): Promise<void> {
  const clock = new SystemClock();
  const world = await planDemo(folder);
  await using stack = new AsyncDisposableStack();
  const programs = stack.use(await startPrograms(world, clock, terminal));
  const act = async (): Promise<void> => {
    await makeTunnels(world, programs, clock, terminal);
    terminal.out(`\n${viewLegend}\n`);
    await carryTraffic(options, world, clock, terminal);
    if (options.media) stack.use(await carryMedia(world, programs, clock, terminal));
    if (options.compare > 0) await compareEngines(world, programs.engine, options.compare, clock, terminal);
    if (programs.observer !== null) await stopRelay(programs.relay, programs.observer, clock, terminal);
  };
  const acting = act();
  acts.push(acting);
  await Promise.race([acting, interruption(shutdown)]);
  terminal.out('\nall well\n');
  if (options.keep) await keepUp(world, programs, options.media, shutdown, terminal);
  terminal.out(`stopping ${programs.names.join(', ')}\n`);
}

async function interruption(shutdown: Promise<NodeJS.Signals>): Promise<never> {
  throw new CommandFailed(`interrupted by ${await shutdown}`);
}

/** One after the other: this process makes and checks all traffic, and a bulk transfer would delay what it measures. */
async function carryTraffic(options: DemoOptions, world: DemoWorld, clock: Clock, terminal: Terminal): Promise<void> {
  const traffic: Traffic = { tcp: { receivedBytes: 0 }, udp: { sent: 0, received: 0 } };
  const start = clock.monotonicMs();
  const tcp = exchangeTcp({ ...world.tcp, bytes: options.megabytes * 1e6 }, new SystemRandom(), traffic.tcp);
  await showUntil(tcp, traffic, world, clock, terminal);
  const tcpResult = { ...(await tcp), seconds: (clock.monotonicMs() - start) / 1000 };
  const flow = { ...world.udp, packetsPerSec: options.rate, seconds: options.seconds };
  const udp = runUdpFlow(flow, clock, traffic.udp);
  await showUntil(udp, traffic, world, clock, terminal);
  summarise(options, tcpResult, await udp, await readTunnels(world), terminal);
}

/** Prints a line a second until `done` settles. */
async function showUntil(
  done: Promise<unknown>,
  traffic: Traffic,
  world: DemoWorld,
  clock: Clock,
  terminal: Terminal,
): Promise<void> {
  const finished = done.then(
    () => 'finished' as const,
    () => 'finished' as const,
  );
  for (;;) {
    const before = { tcpBytes: traffic.tcp.receivedBytes, udpPackets: traffic.udp.received };
    const startMs = clock.monotonicMs();
    const tick = Promise.withResolvers<'tick'>();
    const timer = clock.setTimeout(() => tick.resolve('tick'), viewPeriodMs);
    const what = await Promise.race([tick.promise, finished]);
    timer.cancel();
    if (what === 'finished') return;
    const tunnels = await readTunnels(world);
    terminal.out(`${viewLine(traffic, before, tunnels, (clock.monotonicMs() - startMs) / 1000)}\n`);
  }
}

function summarise(
  options: DemoOptions,
  tcp: TcpExchangeResult & { readonly seconds: number },
  udp: UdpFlowResult,
  tunnels: readonly TunnelRow[],
  terminal: Terminal,
): void {
  const lost = udp.sent - udp.received;
  const load = heavyMachineLoad();
  const rate = (2 * options.megabytes) / tcp.seconds;
  terminal.out(
    [
      '',
      `TCP  ${options.megabytes} MB each way in ${tcp.seconds.toFixed(1)} s (${rate.toFixed(0)} MB/s in all): ` +
        (tcp.intact ? 'both hashes equal' : 'DAMAGED'),
      `UDP  ${udp.sent} packets of ${srtPacketBytes} bytes sent, ${lost} lost, ${udp.damaged} damaged; one way ` +
        `p50 ${udp.latencyMs.p50.toFixed(1)} ms, p99 ${udp.latencyMs.p99.toFixed(1)} ms`,
      `The relay dropped ${tunnels.map(droppedBy).reduce((a, b) => a + b, 0)} datagrams.`,
      ...(load === null
        ? []
        : [`This machine is busy (load ${load.toFixed(1)}): rates and delays say little, packets may be lost.`]),
      '',
    ].join('\n'),
  );
  const problems = [
    ...(tcp.intact ? [] : ['the TCP data that arrived is not what was sent']),
    ...(udp.damaged === 0 ? [] : [`${udp.damaged} UDP packets arrived damaged or twice`]),
    ...(lost <= udp.sent * (load === null ? toleratedLoss : toleratedLossUnderLoad)
      ? []
      : [`${lost} of ${udp.sent} UDP packets were lost`]),
  ];
  if (problems.length > 0) throw new CommandFailed(`the demo failed: ${problems.join('; ')}`);
}

async function keepUp(
  world: DemoWorld,
  programs: DemoPrograms,
  hasMedia: boolean,
  shutdown: Promise<unknown>,
  terminal: Terminal,
): Promise<void> {
  await using page = hasMedia ? await showPicture(world) : null;
  const server = nodeHttp.createServer((_, answer) => answer.end('hello from the far side of the tunnel\n'));
  server.listen(world.tcp.destination.port, world.tcp.destination.host);
  const { local, destination } = world.udp;
  terminal.out(
    [
      '',
      'everything stays up until Ctrl-C; the page of the manager, which the browser does not know yet:',
      `  ${programs.firstAdmin}`,
      ...(page === null ? [] : ['the test picture, in a browser:', `  ${page.url}`]),
      'try in another terminal:',
      `  curl http://${formatHostPort(world.tcp.local)}/                    # HTTP through the tunnel`,
      `  curl ${apiUrl(world)}/api/v1/tunnels       # what the relay knows`,
      `  curl ${apiUrl(world)}/metrics`,
      `  nc -u -l ${destination.host} ${destination.port}   and in a third   nc -u ${local.host} ${local.port} ` +
        '  # UDP through the tunnel',
      '',
    ].join('\n'),
  );
  await shutdown;
  server.close();
  server.closeAllConnections();
}

function apiUrl(world: DemoWorld): string {
  return `http://${formatHostPort(world.apiAddr)}`;
}
