import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import type { SocketAddress } from '../../src/quic/types.ts';
import { CpuMeter, cpuMsOf } from '../cpu-meter.ts';
import { aditRelay } from '../relays/adit-relay.ts';
import type { RunningRelay } from '../relays/relay-under-test.ts';
import { addressOf, Edge } from './adit-edge.ts';
import { faultsOf, type PathCase } from './cells.ts';
import type { PathColumn, PathOutcome, PathsWorld, RunningColumn } from './column.ts';
import { MediaSink, pause, runMediaFlow } from './media-flow.ts';
import type { BenchPath } from './path-process.ts';
import { runPhases } from './phases.ts';

export interface AditColumnOptions {
  readonly name: string;
  readonly engine: EngineName;
  /** The checkout whose programs run. */
  readonly root: string;
}

/** The way of one case: a tunnel of its own, so that no connection knows what another one met. */
interface Way {
  readonly path: BenchPath;
  readonly tunnelId: string;
}

/** Path MTU discovery of all tunnels; SRT is not started within a second of the edge either. */
const settleMs = 4000;
const relayName = 'relay';

/** `adit relay` and two `adit edge`, as operators start them; the path is between the egress edge and the relay. */
export function aditColumn(options: AditColumnOptions): PathColumn {
  const { name, engine, root } = options;
  return {
    name,
    description: `adit relay and two adit edge, engine ${engine}${name === engine ? '' : `, of ${root}`}`,
    start: (world) => startColumn(options, world),
  };
}

async function startColumn({ name, engine, root }: AditColumnOptions, world: PathsWorld): Promise<RunningColumn> {
  await using starting = new AsyncDisposableStack();
  const folder = join(world.folder, name);
  mkdirSync(folder);
  const relay = starting.use(await aditRelay(engine, root).start(folder));
  const sink = starting.use(await MediaSink.open());
  const target = addressOf(relay.address);
  const ways = new Map<PathCase, Way>();
  for (const pathCase of world.cases) {
    const path = await world.paths.open({ target, seed: pathCase.seed, faults: faultsOf(pathCase), impairs: 'all' });
    ways.set(pathCase, { path, tunnelId: randomUUID() });
  }
  const key = randomBytes(32).toString('hex');
  const edge = async (direction: 'egress' | 'ingress'): Promise<Edge> => {
    const localAddr = direction === 'egress' ? '127.0.0.1:0' : formatSocketAddress(sink.address);
    const tunnels = [...ways].map(([{ id }, { path, tunnelId }]) => ({
      ...{ id: tunnelId, name: id, protocol: 'udp', direction, local_addr: localAddr, tunnel_encryption_key: key },
      relay_addrs: [direction === 'egress' ? formatSocketAddress(path.address) : relay.address],
    }));
    return starting.use(
      await Edge.start(`${name} ${direction}`, { root, engine, tunnels, folder: join(folder, direction) }),
    );
  };
  const [egress] = await Promise.all([edge('egress'), edge('ingress')]);
  const entries = await egress.awaitReady();
  await pause(settleMs);
  const running = starting.move();
  return {
    async run(pathCase) {
      const way = ways.get(pathCase);
      const to = entries.get(way?.tunnelId ?? '');
      if (way === undefined || to === undefined) throw new Error(`there is no tunnel for ${pathCase.id}`);
      return runCase(pathCase, { path: way.path, to, sink, relay });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

interface CaseWorld {
  readonly path: BenchPath;
  readonly to: SocketAddress;
  readonly sink: MediaSink;
  readonly relay: RunningRelay;
}

async function runCase(pathCase: PathCase, { path, to, sink, relay }: CaseWorld): Promise<PathOutcome> {
  const { cell, rate } = pathCase;
  const meter = new CpuMeter({ [relayName]: relay.pid });
  const flow = runMediaFlow({ to, sink, bytes: cell.payloadBytes, rate });
  const [outcome] = await Promise.all([flow, runPhases(pathCase, path)]);
  const cpuMs = cpuMsOf(meter.read(), relayName);
  return { ...outcome, relayCpuUs: outcome.delivered === 0 ? null : (cpuMs * 1000) / outcome.delivered };
}
