import { SystemClock } from '../../src/lib/clock.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { knownTunnelId } from '../support/samples/known-tunnel-id.ts';
import { fleetTunnel } from '../support/load/fleet.ts';
import { ownLoopback } from '../support/network/own-loopback.ts';
import { pause } from '../support/pause.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';
import { SeededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';
import { bindVector } from '../support/samples/vectors.ts';
import { EdgeGroup, type GroupTunnel } from './edge-group.ts';
import { MemoryWatch } from './memory-watch.ts';
import { faultsOf, figuresOf } from './mixed-outcome.ts';
import { attack, killEdges, migrate, type MischiefCounts } from './mischief.ts';
import { TcpFarEnd, transferThrough, type TransferEnd } from './tcp-traffic.ts';
import { UdpTraffic } from './udp-traffic.ts';

export interface MixedOrder {
  readonly engine: EngineName;
  readonly tunnels: number;
  readonly minutes: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const ownTunnel = knownTunnelId('0bad0bad-0bad-4bad-8bad-0bad0bad0bad');
const ownSecret = 'b'.repeat(64);
const tunnelsPerGroup = 10;
const faults = { lossRate: 0.01, duplicateRate: 0.002, reorderRate: 0.005, reorderMs: 5, delayMs: 3, jitterMs: 4 };

/** Everything that runs in the mixed chapter. */
interface World {
  readonly relay: RelayProcess;
  readonly localIp: string;
  readonly groups: readonly EdgeGroup[];
  readonly far: TcpFarEnd;
  /** By tunnel number. */
  readonly udp: ReadonlyMap<number, UdpTraffic>;
}

/** What went wrong; empty is what a soak must answer. */
export async function mixed(order: MixedOrder): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const world = await build(order, stack);
  if (!(await allReady(world, order))) return ['not all tunnels were ready in the beginning'];
  order.say(
    `mixed ${order.engine}: ${order.tunnels} tunnels ready through a bad network, ${order.minutes} minutes begin`,
  );
  const { relay, groups, far, udp } = world;
  const clock = new SystemClock();
  const endMs = clock.monotonicMs() + order.minutes * 60_000;
  const isOver = (): boolean => clock.monotonicMs() >= endMs;
  const random = new SeededRandom(order.seed);
  const mischief: MischiefCounts = {
    deaths: 0,
    migrations: 0,
    fuzzedInputs: 0,
    strangerDatagrams: 0,
    garbagePackets: 0,
    lostRounds: 0,
  };
  const ends: Record<TransferEnd, number> = { complete: 0, cut: 0, short: 0, wrong: 0 };
  const victims = { relay: relay.address, groups, ownTunnel, ownSecret, foreignTunnel: fleetTunnel(0) };
  const memory = new MemoryWatch(order.minutes * 60_000);
  await Promise.all([
    ...tcpLoad(world, random, ends, isOver),
    udpLoad(world, random, isOver),
    killEdges(victims, random, mischief, isOver),
    migrate(victims, random, mischief, isOver),
    attack(victims, random, mischief, isOver),
    watch(relay, memory, isOver),
  ]);
  const isWhole = await allReady(world, order);
  await pause(1000);
  const last = await relay.snapshot();
  const outcome = { ends, mischief, farFaults: far.faults, udp: [...udp.values()], memory, last };
  order.say(`\nmixed ${order.engine}, ${order.minutes} minutes, ${order.tunnels} tunnels\n\n${figuresOf(outcome)}\n`);
  return [...faultsOf(outcome), ...(isWhole ? [] : ['not all tunnels were ready again in the end'])];
}

/** Patient, as the machine may have other work. */
async function allReady({ groups }: World, { tunnels }: MixedOrder): Promise<boolean> {
  const ready = (): boolean => groups.reduce((sum, group) => sum + group.ready, 0) === tunnels * 2;
  return until(ready, { timeoutMs: 120_000, pollMs: 100 }).catch(() => false);
}

async function build(order: MixedOrder, stack: AsyncDisposableStack): Promise<World> {
  const numbers = Array.from({ length: order.tunnels }, (_, n) => n);
  const relay = stack.use(
    await RelayProcess.start({
      engine: order.engine,
      config: {
        require_bind_auth: true,
        max_connections_per_ip: 100_000,
        tunnels: [
          ...numbers.map((n) => ({ id: fleetTunnel(n), bind_secret: bindVector.secret })),
          { id: ownTunnel, bind_secret: ownSecret },
        ],
        limits: { accept_rate_per_ip_per_sec: 0, max_replacements: 1000 },
      },
    }),
  );
  const localIp = ownLoopback();
  const far = stack.use(await TcpFarEnd.start(localIp));
  const udp = new Map<number, UdpTraffic>();
  for (const n of numbers.filter((number) => number % 2 === 0))
    udp.set(n, stack.use(await UdpTraffic.open(n, localIp)));
  const tunnels: GroupTunnel[] = numbers.map((number) => {
    const traffic = udp.get(number);
    return traffic === undefined
      ? { number, protocol: 'tcp', farAddress: far.address }
      : { number, protocol: 'udp', farAddress: traffic.farAddress };
  });
  const common = { engine: order.engine, relay: relay.address, localIp, faults };
  const groups: EdgeGroup[] = [];
  for (let from = 0; from < tunnels.length; from += tunnelsPerGroup) {
    const own = { ...common, tunnels: tunnels.slice(from, from + tunnelsPerGroup) };
    for (const direction of ['ingress', 'egress'] as const) {
      const seed = order.seed + groups.length;
      groups.push(stack.use(await EdgeGroup.start({ ...own, direction, seed })));
    }
  }
  return { relay, localIp, groups, far, udp };
}

/** One transfer after the other through each TCP tunnel, with pauses, so that all together stay below what two cores do. */
function tcpLoad(
  world: World,
  random: SeededRandom,
  ends: Record<TransferEnd, number>,
  isOver: () => boolean,
): Promise<void>[] {
  let number = 0;
  return world.groups
    .filter(({ order }) => order.direction === 'egress')
    .flatMap((group) =>
      group.order.tunnels.map(async ({ protocol }, index) => {
        if (protocol !== 'tcp') return;
        while (!isOver()) {
          await pause(random.float() * 20_000);
          const to = { ip: world.localIp, port: group.port(index) };
          ends[await transferThrough(to, number++, 1 + Math.floor(random.float() * 400_000))] += 1;
        }
      }),
    );
}

async function udpLoad(world: World, random: SeededRandom, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const group of world.groups) {
      if (group.order.direction !== 'egress') continue;
      group.order.tunnels.forEach(({ number }, index) => {
        world.udp.get(number)?.send(group.port(index), 40 + Math.floor(random.float() * 1100));
      });
    }
    await pause(250);
  }
}

async function watch(relay: RelayProcess, memory: MemoryWatch, isOver: () => boolean): Promise<void> {
  const clock = new SystemClock();
  const startedMs = clock.monotonicMs();
  while (!isOver()) {
    const { engine, ...snapshot } = await relay.snapshot();
    memory.add(clock.monotonicMs() - startedMs, { ...snapshot, connections: engine.connections });
    await pause(5000);
  }
}
