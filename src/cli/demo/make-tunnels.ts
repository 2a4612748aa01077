import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { Terminal } from '../terminal.ts';
import type { DemoTunnel, DemoWorld, EdgeSide } from './demo-config.ts';
import type { AddedNode, DemoManager } from './demo-manager.ts';
import { areEdgesReady, readTunnels } from './demo-view.ts';

/** The manager, and the nodes that it knows. */
interface Managed {
  readonly manager: DemoManager;
  readonly nodes: Readonly<Record<'relay' | EdgeSide, AddedNode>>;
}

const pollMs = 50;
/** For what never comes; on a busy machine it takes tens of seconds. */
const deadlineMs = 120_000;

/** Has the manager make both tunnels, and waits until they are up. */
export async function makeTunnels(
  world: DemoWorld,
  programs: Managed,
  clock: Clock,
  terminal: Terminal,
): Promise<void> {
  const { manager, nodes } = programs;
  await until(() => manager.areOnline(Object.values(nodes)), clock, 'relay and edges have not registered');
  terminal.out('relay and edges have registered with the manager, by tokens that work once\n');
  for (const tunnel of [world.tcp, world.udp]) {
    const { protocol, local, destination } = tunnel;
    await makeTunnel(world, programs, {
      ...{ name: `demo-${protocol}`, protocol },
      ...{ listen: formatHostPort(local), forward: formatHostPort(destination) },
    });
  }
  await untilTunnelsRun(world, 2, clock);
  terminal.out('the manager has made two tunnels, encrypted from edge to edge\n');
}

/** Has the manager make a tunnel from the egress edge to the ingress edge. */
export async function makeTunnel(
  { relayAddr }: DemoWorld,
  { manager, nodes }: Managed,
  tunnel: { readonly name: string; readonly protocol: DemoTunnel['protocol']; listen: string; forward: string },
): Promise<void> {
  const { name, protocol, listen, forward } = tunnel;
  await manager.createTunnel({
    ...{ name, protocol },
    source: { node_id: nodes.egress.id, listen },
    destination: { node_id: nodes.ingress.id, forward },
    relays: [{ node_id: nodes.relay.id, relay_addr: formatHostPort(relayAddr) }],
  });
}

/** Waits until both edges report so many tunnels as up. */
export async function untilTunnelsRun(world: DemoWorld, count: number, clock: Clock): Promise<void> {
  try {
    await until(() => areEdgesReady(world, count), clock, 'the tunnels have not come up at the edges');
  } catch (cause) {
    const tunnels = await readTunnels(world);
    throw new AppError('timed-out', `the relay says ${JSON.stringify(tunnels)}`, { cause });
  }
}

/** Polls. Rejects with AppError `timed-out` and what did not happen. */
export async function until(isSo: () => Promise<boolean>, clock: Clock, otherwise: string): Promise<void> {
  const endMs = clock.monotonicMs() + deadlineMs;
  while (!(await isSo())) {
    if (clock.monotonicMs() > endMs) throw new AppError('timed-out', otherwise);
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, pollMs));
  }
}
