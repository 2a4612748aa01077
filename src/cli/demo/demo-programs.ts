import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { Terminal } from '../terminal.ts';
import { ChildProgram } from './child-program.ts';
import { writeEdgeConfigs, writeRelayConfig, type DemoWorld, type RelaySettings } from './demo-config.ts';
import { areEdgesReady, readTunnels } from './demo-view.ts';

const readyPollMs = 50;
/** For tunnels that never come up; on a busy machine they take tens of seconds. */
const readyDeadlineMs = 120_000;

export interface TunnelPrograms extends AsyncDisposable {
  readonly relay: ChildProgram;
  /** The engine that the relay runs on, as its start-up line names it. */
  readonly engine: string;
}

/** Starts a program and prints its process id. */
export function startProgram(
  name: string,
  kind: string,
  configPath: string,
  clock: Clock,
  terminal: Terminal,
): ChildProgram {
  const child = new ChildProgram(name, [kind, '-c', configPath], clock);
  terminal.out(`${name.padEnd(13)} pid ${child.pid ?? '?'}: adit ${kind} -c ${configPath}\n`);
  return child;
}

/** Starts a relay and two edges, and returns when both edges know that their tunnels are up. */
export async function startTunnels(
  world: DemoWorld,
  settings: RelaySettings & { readonly onRelay?: (relay: ChildProgram) => void },
  clock: Clock,
  terminal: Terminal,
): Promise<TunnelPrograms> {
  await using stack = new AsyncDisposableStack();
  const start = (name: string, kind: string, path: string): ChildProgram =>
    stack.use(startProgram(name, kind, path, clock, terminal));
  const relay = start('relay', 'relay', writeRelayConfig(world, settings));
  settings.onRelay?.(relay);
  const { certificate_sha256: fingerprint, engine } = await relay.line('relay started');
  if (typeof fingerprint !== 'string' || typeof engine !== 'string') {
    throw new AppError('bug', "the relay's start-up line has no certificate or no engine");
  }
  terminal.out(`${''.padEnd(13)} listening on ${formatHostPort(world.relayAddr)}, engine ${engine}\n`);
  const configs = writeEdgeConfigs(world, fingerprint, settings.engine);
  const edges = [start('egress edge', 'edge', configs.egress), start('ingress edge', 'edge', configs.ingress)];
  await Promise.all(edges.map((edge) => edge.line('edge started')));
  await waitUntilReady(world, clock);
  const running = stack.move();
  return { relay, engine, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function waitUntilReady(world: DemoWorld, clock: Clock): Promise<void> {
  const deadline = clock.monotonicMs() + readyDeadlineMs;
  for (;;) {
    if (await areEdgesReady(world)) return;
    const tunnels = await readTunnels(world);
    if (clock.monotonicMs() > deadline) {
      throw new AppError(
        'timed-out',
        `the edges did not come to know that the tunnels are up; the relay says ${JSON.stringify(tunnels)}`,
      );
    }
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, readyPollMs));
  }
}
