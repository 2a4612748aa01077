import { writeFileSync } from 'node:fs';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { Terminal } from '../terminal.ts';
import type { ChildProgram } from './child-program.ts';
import {
  relayPidFile,
  writeEdgeConfig,
  writeManagerConfig,
  writeObserverConfig,
  writeRelayConfig,
  type DemoWorld,
  type EdgeSide,
} from './demo-config.ts';
import { DemoManager, type AddedNode } from './demo-manager.ts';
import { startProgram } from './demo-programs.ts';

export interface DemoPrograms extends AsyncDisposable {
  /** What is stopped at the end, for people. */
  readonly names: readonly string[];
  readonly relay: ChildProgram;
  /** The engine that the relay runs on. */
  readonly engine: string;
  /** Null where it cannot run. */
  readonly observer: ChildProgram | null;
  readonly manager: DemoManager;
  readonly nodes: Readonly<Record<'relay' | EdgeSide, AddedNode>>;
  /** The link to the manager's page that makes its first administrator. */
  readonly firstAdmin: string;
}

type Start = (name: string, kind: string, path: string) => ChildProgram;

/** EX_UNAVAILABLE, as src/cli/failure.ts gives it. */
const exitUnavailable = 69;

/** A manager and an observer, then a relay and two edges that the manager knows by tokens. They have no tunnel yet. */
export async function startPrograms(world: DemoWorld, clock: Clock, terminal: Terminal): Promise<DemoPrograms> {
  await using stack = new AsyncDisposableStack();
  const start: Start = (name, kind, path) => stack.use(startProgram(name, kind, path, clock, terminal));
  const watcher = start('observer', 'observer', writeObserverConfig(world));
  const [observer, { manager, firstAdmin }] = await Promise.all([
    whereItRuns(watcher, terminal),
    startManager(world, start, clock),
  ]);
  const nodes = {
    relay: await manager.addNode('demo-relay', 'relay'),
    egress: await manager.addNode('demo-egress', 'edge'),
    ingress: await manager.addNode('demo-ingress', 'edge'),
  };
  const relay = start('relay', 'relay', writeRelayConfig(world, nodes.relay.manager, observer !== null));
  writeFileSync(relayPidFile(world), String(relay.pid));
  const edges = (['egress', 'ingress'] as const).map((side) =>
    start(`${side} edge`, 'edge', writeEdgeConfig(world, side, nodes[side].manager)),
  );
  const [started] = await Promise.all([relay.line('relay started'), ...edges.map((edge) => edge.line('edge started'))]);
  const engine = String(started['engine']);
  terminal.out(`the relay listens on ${formatHostPort(world.relayAddr)}, engine ${engine}\n`);
  const running = stack.move();
  const names = ['the manager', 'the relay', 'both edges', ...(observer === null ? [] : ['the observer'])];
  const parts = { names, relay, engine, observer, manager, nodes, firstAdmin };
  return { ...parts, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function startManager(
  world: DemoWorld,
  start: Start,
  clock: Clock,
): Promise<{ manager: DemoManager; firstAdmin: string }> {
  const path = writeManagerConfig(world);
  const program = start('manager', 'manager', path);
  const [firstAdmin] = await Promise.all([
    program.printed(/^first administrator .*: (https:\S+)$/),
    program.line('manager started'),
  ]);
  return { manager: await DemoManager.open(world, path, clock), firstAdmin };
}

/**
 * Null, once that was said, where it cannot have its socket: another system than Linux, or a package that is left out.
 */
async function whereItRuns(observer: ChildProgram, terminal: Terminal): Promise<ChildProgram | null> {
  try {
    await observer.line('observer started');
    return observer;
  } catch (error) {
    if ((await observer.exit()) !== exitUnavailable) throw error;
    terminal.out(`the observer is left out: ${observer.lastLines.at(-1) ?? ''}\n`);
    return null;
  }
}
