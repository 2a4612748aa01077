import { datagramBytes } from '../datagram-load.ts';
import type { PingPongArgs, RoundTrips } from '../edge/edge-calls.ts';
import type { RelayUnderTest } from '../relays/relay-under-test.ts';
import { Stage, type World } from '../stage.ts';
import { isTunnelRelay, type Figure, type Measurement } from './figure.ts';

const kinds = ['datagram', 'stream'] as const;
const loads = ['idle', 'half load'] as const;
const percentiles = ['p50', 'p99', 'p99.9'] as const;
const bytes = 200;
const seconds = 1;
const warmUpSeconds = 0.3;
/** Half of what a relay is known to carry; this where nothing is known. */
const assumedMaxPerSec = 10_000;
const leastTrips = 100;
const loadGroup = 'load';
/** Longer than four ping-pongs take. */
const loadSeconds = 4 * (seconds + warmUpSeconds) + 2;

type Kind = (typeof kinds)[number];

/**
 * Round trips of a small message through the relay. Subtracts those between the same two processes without a relay, in
 * the same seconds and under the same load.
 */
export const latency: Figure = {
  name: 'latency',
  rows: kinds.flatMap((kind) =>
    loads.flatMap((load) => percentiles.map((percentile) => ({ id: latencyRow(kind, load, percentile), unit: 'µs' }))),
  ),
  appliesTo: isTunnelRelay,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    await openPaths(stage);
    yield* measureUnder(stage, 'idle');
    await using busy = await startLoad(world, relay, stage);
    yield* measureUnder(stage, 'half load');
    await busy.over;
  },
};

function latencyRow(kind: Kind, load: (typeof loads)[number], percentile: (typeof percentiles)[number]): string {
  return `latency_added_us ${kind} ${load} ${percentile}`;
}

async function openPaths(stage: Stage): Promise<void> {
  await stage.openTunnels({ group: 'datagram', count: 1, protocol: 'udp' });
  await stage.openTunnels({ group: 'stream', count: 1, protocol: 'tcp' });
  const address = await stage.destination.call('listenDirect', { group: 'direct' });
  await stage.source.call('dialDirect', { group: 'direct', address });
  for (const group of ['datagram', 'stream', 'direct']) await stage.destination.call('echo', { group });
}

async function* measureUnder(stage: Stage, load: (typeof loads)[number]): AsyncGenerator<Measurement> {
  for (const kind of kinds) {
    const direct = await play(stage, { group: 'direct', kind });
    const relayed = await play(stage, { group: kind, kind });
    yield* compare(kind, load, direct, relayed);
  }
}

async function play(stage: Stage, match: Pick<PingPongArgs, 'group' | 'kind'>): Promise<RoundTrips> {
  await stage.source.call('pingPong', { ...match, bytes, seconds: warmUpSeconds });
  return stage.source.call('pingPong', { ...match, bytes, seconds });
}

function compare(
  kind: Kind,
  load: (typeof loads)[number],
  direct: RoundTrips,
  relayed: RoundTrips,
): readonly Measurement[] {
  const keys = { p50: 'p50', p99: 'p99', 'p99.9': 'p999' } as const;
  return percentiles.map((percentile) => {
    const row = latencyRow(kind, load, percentile);
    if (direct.count < leastTrips || relayed.count < leastTrips) {
      const reason = `${tripsText(relayed)} through the relay, ${tripsText(direct)} direct`;
      return { kind: 'failed', row, reason };
    }
    const [roundTrip, without] = [relayed[keys[percentile]], direct[keys[percentile]]];
    const beside = { 'round trip': roundTrip, ...(relayed.lost > 0 && { lost: relayed.lost }) };
    return { kind: 'value', row, value: roundTrip - without, beside, compared: roundTrip };
  });
}

function tripsText({ count, lost }: RoundTrips): string {
  return `${count} round trips and ${lost} lost`;
}

/** A flow through the same relay, played by two processes of its own so that it does not disturb those that measure. */
async function startLoad(
  world: World,
  relay: RelayUnderTest,
  stage: Stage,
): Promise<AsyncDisposable & { readonly over: Promise<void> }> {
  const actors = await stage.moreEdges(world);
  const ratePerSec = (world.maxDatagramRates.get(relay.name) ?? assumedMaxPerSec) / 2;
  await actors.openTunnels({ group: loadGroup, count: 1, protocol: 'udp' });
  await actors.awaitSize(loadGroup, datagramBytes, 1);
  const flow = actors.nextFlow();
  const total = Math.ceil(ratePerSec * loadSeconds) + 1;
  await actors.destination.call('expectDatagrams', { group: loadGroup, flow, total });
  const sent = actors.source.call('sendDatagrams', {
    group: loadGroup,
    flow,
    ratePerSec,
    seconds: loadSeconds,
    bytes: datagramBytes,
  });
  const over = sent.then(async () => {
    const { received } = await actors.destination.call('tally', { group: loadGroup });
    if (received === 0) throw new Error('nothing of the load arrived');
  });
  return { over, [Symbol.asyncDispose]: () => actors[Symbol.asyncDispose]() };
}
