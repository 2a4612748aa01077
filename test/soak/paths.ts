import { SystemClock } from '../../src/lib/clock.ts';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { FaultyNetwork } from '../support/network/faulty-network.ts';
import { faultless, payloadOfMtu, type Faults } from '../support/network/faulty-path.ts';
import { sumOfDrops } from '../support/network/faulty-world.ts';
import { openEngine } from '../support/programs/open-engine.ts';
import { RelayProcess } from '../support/programs/relay-process.ts';
import { startTestEdge, type TestEdge } from '../support/programs/test-edge.ts';
import { ownLoopback } from '../support/network/own-loopback.ts';
import { pause } from '../support/pause.ts';
import { until } from '../support/until.ts';
import { MemoryWatch } from './memory-watch.ts';
import { UdpTraffic } from './udp-traffic.ts';

interface PathsOrder {
  readonly engine: EngineName;
  readonly minutes: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const cellMs = 10_000;
const perSecond = 190;
const bytes = 1332;
const tickMs = 10;
const sampleMs = 5000;
/** What an edge's tunnel has when nothing is in its way: Ethernet's 1500 less what stands around a datagram. */
const fullPathMtu = 1452;
const mtuDeadlineMs = 60_000;

/** What the path is, one after the other, for ten seconds each. */
const cells: readonly Partial<Faults>[] = [
  { delayMs: 20, lossRate: 0.01 },
  { delayMs: 40, jitterMs: 30, jitterReorders: true },
  { delayMs: 10, reorderRate: 0.02, reorderMs: 15 },
  { delayMs: 30, burstRate: 0.002 },
  { delayMs: 20, largestPayload: payloadOfMtu(1420) },
  { delayMs: 20, lossRate: 0.05 },
  { delayMs: 20, bytesPerSecond: 220_000, queueBytes: 66_000 },
  { delayMs: 100, lossRate: 0.003 },
  { delayMs: 20, largestPayload: payloadOfMtu(1280) },
  { delayMs: 5 },
];

interface World {
  readonly relay: RelayProcess;
  readonly network: FaultyNetwork;
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
  readonly traffic: UdpTraffic;
}

interface Counts {
  readonly sent: number;
  readonly arrived: number;
  readonly returned: number;
}

function countsOf({ sent, arrived, returned }: UdpTraffic): Counts {
  return { sent, arrived, returned };
}

/** What became of the media while the path was one of the cells; what was on its way at a change counts for the next. */
class CellShare {
  readonly cell: Partial<Faults>;
  readonly #sum = { sent: 0, arrived: 0, returned: 0 };

  constructor(cell: Partial<Faults>) {
    this.cell = cell;
  }

  add(before: Counts, after: Counts): void {
    for (const name of ['sent', 'arrived', 'returned'] as const) this.#sum[name] += after[name] - before[name];
  }

  describe(): string {
    const { sent, arrived, returned } = this.#sum;
    const share = (count: number): string => `${((100 * count) / Math.max(1, sent)).toFixed(1)} %`;
    const faults = Object.entries(this.cell).map(([name, value]) => `${name} ${String(value)}`);
    return `${faults.join(', ')}: ${share(arrived)} came to the far end, ${share(returned)} came back`;
  }
}

function dropsOf(name: string, { edge }: TestEdge): string {
  const drops = edge.tunnelReports().map(({ outgoing, incoming }) => [outgoing.drops, incoming.drops]);
  return `drops at the ${name}, outgoing and incoming: ${JSON.stringify(drops[0] ?? [])}`;
}

/** Live media, both ways, over a path that becomes another one every ten seconds. What went wrong; empty when nothing. */
export async function pathsChapter(order: PathsOrder): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const world = await build(order, stack);
  const { relay, network, egress, traffic } = world;
  const clock = new SystemClock();
  const startedMs = clock.monotonicMs();
  const durationMs = order.minutes * 60_000;
  const passedMs = (): number => clock.monotonicMs() - startedMs;
  const memory = new MemoryWatch(durationMs);
  const shares = cells.map((cell) => new CellShare(cell));
  const change = async (): Promise<void> => {
    for (let turn = 0; passedMs() < durationMs; turn++) {
      const share = shares[turn % shares.length];
      network.set({ ...faultless, ...share?.cell });
      const before = countsOf(traffic);
      await pause(Math.min(cellMs, durationMs - passedMs()));
      share?.add(before, countsOf(traffic));
    }
  };
  const send = async (): Promise<void> => {
    let sent = 0;
    while (passedMs() < durationMs) {
      const due = (passedMs() / 1000) * perSecond;
      for (; sent < due; sent++) traffic.send(egress.port(), bytes);
      await pause(tickMs);
    }
  };
  const sample = async (): Promise<void> => {
    while (passedMs() < durationMs) {
      const { engine, ...snapshot } = await relay.snapshot();
      memory.add(passedMs(), { ...snapshot, connections: engine.connections });
      await pause(sampleMs);
    }
  };
  await Promise.all([change(), send(), sample()]);
  network.set(faultless);
  const faults = [...(await faultsOf(world)), ...traffic.faults, ...memory.faults()];
  for (const share of shares) order.say(`  ${share.describe()}`);
  order.say(`  ${dropsOf('egress edge', egress)}; ${dropsOf('ingress edge', world.ingress)}`);
  const share = (count: number): string => `${((100 * count) / traffic.sent).toFixed(1)} %`;
  order.say(
    `paths ${order.engine}: ${order.minutes} minutes, ${traffic.sent} datagrams sent, ${share(traffic.arrived)} came to ` +
      `the far end, ${share(traffic.returned)} came back; RSS ${memory.describe()}`,
  );
  return faults;
}

async function build({ engine: name, seed }: PathsOrder, stack: AsyncDisposableStack): Promise<World> {
  const localIp = ownLoopback();
  const traffic = stack.use(await UdpTraffic.open(0, localIp));
  const engine = stack.use(await openEngine(name));
  const relay = stack.use(await RelayProcess.start({ engine: name, config: { require_bind_auth: false } }));
  const network = stack.use(await FaultyNetwork.start({ target: relay.address, faults: cells[0] ?? {}, seed }));
  const edge = async (tunnel: object): Promise<TestEdge> =>
    stack.use(await startTestEdge({ engine, tunnels: [{ protocol: 'udp', direction: 'egress', ...tunnel }] }));
  const egress = await edge({ local_addr: `${localIp}:0`, relay_addr: formatSocketAddress(network.address) });
  const far = { direction: 'ingress', local_addr: traffic.farAddress };
  const ingress = await edge({ ...far, relay_addr: formatSocketAddress(relay.address) });
  await egress.reaches('ready');
  await ingress.reaches('ready');
  return { relay, network, egress, ingress, traffic };
}

async function faultsOf({ relay, egress, ingress, traffic }: World): Promise<string[]> {
  const pathMtu = (): number | null => egress.edge.tunnelReports()[0]?.path_mtu ?? null;
  const isFull = await until(() => pathMtu() === fullPathMtu, { timeoutMs: mtuDeadlineMs, pollMs: 200 }).catch(
    () => false,
  );
  const last = await relay.snapshot();
  const atRelay = last.tunnels.flatMap((tunnel) => [tunnel.ingress.sent, tunnel.egress.sent]);
  const atEdges = [egress, ingress].flatMap(({ edge }) =>
    edge.tunnelReports().flatMap(({ outgoing, incoming }) => [outgoing, incoming]),
  );
  const wrong = [
    ...atRelay.filter((ledger) => ledger.datagramsIn !== ledger.datagramsOut + sumOfDrops(ledger)),
    ...atEdges.filter(({ datagrams_in: came, datagrams_out: left, drops }) => came !== left + sumOfDrops({ drops })),
  ];
  return [
    ...(isFull ? [] : [`the path MTU is ${pathMtu()} in the end, not ${fullPathMtu}`]),
    ...wrong.map((ledger) => `a ledger does not add up: ${JSON.stringify(ledger)}`),
    ...(traffic.returned > 0 ? [] : ['no datagram came back']),
    ...(last.unhandledRejections > 0 ? [`${last.unhandledRejections} unhandled rejections in the relay`] : []),
  ];
}
