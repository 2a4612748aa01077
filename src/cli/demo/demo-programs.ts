import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import { SystemRandom } from '../../lib/random.ts';
import type { Terminal } from '../terminal.ts';
import { ChildProgram } from './child-program.ts';
import type { DemoEngine, DemoWorld } from './demo-config.ts';
import { untilTunnelsRun } from './make-tunnels.ts';
import { TunnelFiles } from './tunnel-files.ts';

/** Starts a program and prints its process id. */
export function startProgram(
  name: string,
  kind: string,
  configPath: string,
  clock: Clock,
  terminal: Terminal,
): ChildProgram {
  const child = new ChildProgram(name, [kind, '-c', configPath], clock);
  terminal.out(`${name.padEnd(12)} pid ${child.pid ?? '?'}: adit ${kind} -c ${configPath}\n`);
  return child;
}

/** Starts a relay and two edges that need no manager, and returns when both edges know that their tunnels are up. */
export async function startTunnels(
  world: DemoWorld,
  engine: DemoEngine,
  clock: Clock,
  terminal: Terminal,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const start = (name: string, kind: string, path: string): ChildProgram =>
    stack.use(startProgram(name, kind, path, clock, terminal));
  const files = new TunnelFiles(world, engine, new SystemRandom());
  const relay = start('relay', 'relay', files.writeRelay());
  const { certificate_sha256: fingerprint } = await relay.line('relay started');
  terminal.out(`the relay listens on ${formatHostPort(world.relayAddr)}, engine ${engine}\n`);
  const configs = files.writeEdges(String(fingerprint));
  const edges = [start('egress edge', 'edge', configs.egress), start('ingress edge', 'edge', configs.ingress)];
  await Promise.all(edges.map((edge) => edge.line('edge started')));
  await untilTunnelsRun(world, 2, clock);
  return stack.move();
}
