import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { nodeHttp } from '../../lib/node-http.ts';
import { CommandFailed } from '../failure.ts';
import { waitForShutdownSignal } from '../service/shutdown-signal.ts';
import type { Terminal } from '../terminal.ts';
import { compareEngines } from './compare-engines.ts';
import { planDemo, type DemoWorld } from './demo-config.ts';
import { carryMedia } from './carry-media.ts';
import { carryTraffic, type TrafficPlan } from './carry-traffic.ts';
import { makeTunnels } from './make-tunnels.ts';
import { startPrograms, type DemoPrograms } from './start-programs.ts';
import { stopRelay } from './stop-relay.ts';
import { showPicture } from './picture-page.ts';

export interface DemoOptions extends TrafficPlan {
  /** How long the TCP rate of each engine is measured, in seconds; 0 leaves the comparison out. */
  readonly compare: number;
  readonly media: boolean;
  readonly keep: boolean;
}

export async function runDemo(options: DemoOptions, terminal: Terminal): Promise<void> {
  const shutdown = waitForShutdownSignal();
  const signals: NodeJS.Signals[] = [];
  void shutdown.then((signal) => signals.push(signal));
  const folder = mkdtempSync(join(tmpdir(), 'adit-'));
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
      'everything stays up until Ctrl-C; the page of the manager (the browser will warn):',
      `  ${programs.firstAdmin}`,
      ...(page === null ? [] : ['the test picture, in a browser:', `  ${page.url}`]),
      'try in another terminal:',
      `  curl http://${formatHostPort(world.tcp.local)}/                # HTTP through the tunnel`,
      `  curl ${apiUrl(world)}/api/v1/tunnels   # what the relay knows`,
      `  curl ${apiUrl(world)}/metrics`,
      'UDP through the tunnel, in two more:',
      `  nc -u -l ${destination.host} ${destination.port}`,
      `  nc -u ${local.host} ${local.port}`,
      'or an SRT stream that is compared byte for byte (needs ffmpeg and srt-tools):',
      `  examples/srt/check.sh ${local.port} ${destination.port} 20`,
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
