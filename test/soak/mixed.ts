import { SystemClock } from '../../src/lib/clock.ts';
import type { EngineName } from '../../src/quic/types.ts';
import { FaultyNetwork } from '../support/faulty-network.ts';
import { sumOfDrops } from '../support/faulty-world.ts';
import { knownTunnelId } from '../support/known-tunnel-id.ts';
import { fleetTunnel } from '../support/load/fleet.ts';
import { pause } from '../support/pause.ts';
import { RelayProcess, type RelaySnapshot } from '../support/relay-process.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';
import { bindVector } from '../support/vectors.ts';
import { EdgeGroup, type GroupTunnel } from './edge-group.ts';
import { MemoryWatch } from './memory-watch.ts';
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
const network = { lossRate: 0.01, duplicateRate: 0.002, reorderRate: 0.005, reorderMs: 5, delayMs: 3, jitterMs: 4 };

/** Everything that runs in the mixed chapter. */
interface World {
  readonly relay: RelayProcess;
  readonly network: FaultyNetwork;
  readonly groups: readonly EdgeGroup[];
  readonly far: TcpFarEnd;
  /** By tunnel number. */
  readonly udp: ReadonlyMap<number, UdpTraffic>;
}

/** What went wrong; empty is what a soak must answer. */
export async function mixed(order: MixedOrder): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const world = await build(order, stack);
  const { relay, groups, far, udp } = world;
  const half = order.tunnels * 2;
  const ready = (): number => groups.reduce((sum, group) => sum + group.ready, 0);
  await until(() => ready() === half, {
    what: `${half} legs ready; so far ${ready()}`,
    timeoutMs: 120_000,
    pollMs: 100,
  });
  order.say(
    `mixed ${order.engine}: ${order.tunnels} tunnels ready through a bad network, ${order.minutes} minutes begin`,
  );

  const clock = new SystemClock();
  const endMs = clock.monotonicMs() + order.minutes * 60_000;
  const isOver = (): boolean => clock.monotonicMs() >= endMs;
  const random = new SeededRandom(order.seed);
  const counts: MischiefCounts = {
    deaths: 0,
    migrations: 0,
    fuzzedInputs: 0,
    strangerDatagrams: 0,
    garbagePackets: 0,
    lostRounds: 0,
  };
  const ends: Record<TransferEnd, number> = { complete: 0, cut: 0, short: 0, wrong: 0 };
  const victims = {
    relay: relay.address,
    network: world.network,
    groups,
    ownTunnel,
    ownSecret,
    foreignTunnel: fleetTunnel(0),
  };
  const memory = new MemoryWatch(order.minutes * 60_000);
  await Promise.all([
    ...tcpLoad(world, random, ends, isOver),
    udpLoad(world, random, isOver),
    killEdges(victims, random, counts, isOver),
    migrate(victims, random, counts, isOver),
    attack(victims, random, counts, isOver),
    watch(relay, memory, isOver),
  ]);
  await until(() => ready() === half, { what: 'all legs ready again in the end', timeoutMs: 120_000, pollMs: 100 });
  await pause(1000);
  const last = await relay.snapshot();
  const traffic = [...udp.values()];
  const sum = (pick: (one: UdpTraffic) => number): number => traffic.reduce((total, one) => total + pick(one), 0);
  order.say(
    `mixed ${order.engine}: transfers ${JSON.stringify(ends)}; datagrams ${sum((one) => one.sent)} sent, ` +
      `${sum((one) => one.arrived)} arrived, ${sum((one) => one.returned)} came back; mischief ${JSON.stringify(counts)}`,
  );
  order.say(`mixed ${order.engine}: RSS ${memory.describe()}; unbound ${last.engine.counters.unboundSender}`);
  return [
    ...(ends.wrong > 0 ? [`${ends.wrong} transfers came back wrong`] : []),
    ...(ends.short > 0 ? [`${ends.short} transfers came back short with a clean end`] : []),
    ...(ends.complete === 0 ? ['no transfer was complete'] : []),
    ...(sum((one) => one.returned) === 0 ? ['no datagram came back'] : []),
    ...far.faults,
    ...traffic.flatMap((one) => one.faults),
    ...ledgerFaults(last),
    ...memory.faults(),
    ...(last.unhandledRejections > 0 ? [`${last.unhandledRejections} unhandled rejections in the relay`] : []),
  ];
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
  const between = stack.use(await FaultyNetwork.start({ target: relay.address, faults: network, seed: order.seed }));
  const far = stack.use(await TcpFarEnd.start());
  const udp = new Map<number, UdpTraffic>();
  for (const n of numbers.filter((number) => number % 2 === 0)) udp.set(n, stack.use(await UdpTraffic.open(n)));
  const tunnels: GroupTunnel[] = numbers.map((number) => {
    const traffic = udp.get(number);
    return traffic === undefined
      ? { number, protocol: 'tcp', farAddress: far.address }
      : { number, protocol: 'udp', farAddress: traffic.farAddress };
  });
  const groups: EdgeGroup[] = [];
  for (let from = 0; from < tunnels.length; from += tunnelsPerGroup) {
    const own = tunnels.slice(from, from + tunnelsPerGroup);
    for (const direction of ['ingress', 'egress'] as const) {
      const group = { engine: order.engine, relay: between.address, direction, tunnels: own };
      groups.push(stack.use(await EdgeGroup.start(group)));
    }
  }
  return { relay, network: between, groups, far, udp };
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
          ends[await transferThrough(group.port(index), number++, 1 + Math.floor(random.float() * 400_000))] += 1;
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
    const { rssBytes } = await relay.snapshot();
    memory.add(clock.monotonicMs() - startedMs, rssBytes);
    await pause(5000);
  }
}

function ledgerFaults({ tunnels }: RelaySnapshot): string[] {
  return tunnels.flatMap((tunnel) =>
    (['ingress', 'egress'] as const)
      .map((direction) => ({ direction, sent: tunnel[direction].sent }))
      .filter(({ sent }) => sent.datagramsIn !== sent.datagramsOut + sumOfDrops(sent))
      .map(({ direction, sent }) => `ledger of ${tunnel.info.tunnel_id} ${direction}: ${JSON.stringify(sent)}`),
  );
}
