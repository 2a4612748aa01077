import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { portOf, startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { closeOf, dialLocal, LocalTcpServer } from '../../support/peers/local-tcp.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import type { TestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

const clock = new SystemClock();

/** Two edges, each bound at two relays; the way to each relay can be cut without a word, as when its host dies. */
class TwoRelays implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly relays: readonly [TestRelay, TestRelay];
  readonly networks: readonly [FaultyNetwork, FaultyNetwork];
  readonly egress: TestEdge;
  readonly ingress: TestEdge;

  private constructor(
    stack: AsyncDisposableStack,
    relays: readonly [TestRelay, TestRelay],
    networks: readonly [FaultyNetwork, FaultyNetwork],
    edges: readonly [egress: TestEdge, ingress: TestEdge],
  ) {
    this.#stack = stack;
    this.relays = relays;
    this.networks = networks;
    [this.egress, this.ingress] = edges;
  }

  static async open(engineName: EngineName, protocol: 'tcp' | 'udp', localAddr: string): Promise<TwoRelays> {
    await using opening = new AsyncDisposableStack();
    const engine = opening.use(await openEngine(engineName));
    const startRelay = async (): Promise<[TestRelay, FaultyNetwork]> => {
      const relay = opening.use(await startAuthorizedRelay(engineName));
      return [relay, opening.use(await FaultyNetwork.start({ target: { ip: '127.0.0.1', port: portOf(relay) } }))];
    };
    const [primary, primaryNetwork] = await startRelay();
    const [backup, backupNetwork] = await startRelay();
    const networks = [primaryNetwork, backupNetwork] as const;
    const common = { protocol, relay_addrs: networks.map(({ address }) => `127.0.0.1:${address.port}`) };
    const ingress = opening.use(
      await startTestEdge({ engine, tunnels: [{ ...common, direction: 'ingress', local_addr: localAddr }] }),
    );
    const egress = opening.use(await startTestEdge({ engine, tunnels: [{ ...common, direction: 'egress' }] }));
    await until(() => [primary, backup].every(({ relay }) => relay.health().active_tunnels === 1));
    await egress.reaches('ready');
    await ingress.reaches('ready');
    await until(() => egress.tunnel().active_relay_idx === 0);
    return new TwoRelays(opening.move(), [primary, backup], networks, [egress, ingress]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Sends numbered SRT-sized packets at 1000 a second until stopped; answers how many. */
function startFlow(source: LocalUdpSocket, port: number): { sent: () => number; stop: () => void } {
  const startedAtMs = clock.monotonicMs();
  let sent = 0;
  const timer = clock.setInterval(() => {
    for (const due = clock.monotonicMs() - startedAtMs; sent < due; sent++) {
      const payload = Buffer.alloc(1332);
      payload.writeUInt32BE(sent);
      source.send(payload, port);
    }
  }, 2);
  return { sent: () => sent, stop: () => timer.cancel() };
}

/** How many consecutive numbers are missing where most are. */
function longestGap(numbers: readonly number[]): number {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  return Math.max(0, ...sorted.slice(1).map((number, i) => number - (sorted[i] ?? 0) - 1));
}

describe.each(await builtEngines())('an edge over %s with two relays', (engineName) => {
  it('moves a UDP flow to the backup within a second of its primary falling silent, and back', async () => {
    await using sink = await LocalUdpSocket.open();
    await using source = await LocalUdpSocket.open();
    await using world = await TwoRelays.open(engineName, 'udp', sink.addr);
    const { egress, networks } = world;
    const flow = startFlow(source, egress.port());
    await until(() => sink.received.length > 500);

    // On a busy machine a good part of a second's packets is still on its way to the one that is about to be cut off.
    const underWay = flow.sent() - sink.received.length;
    const cutAtMs = clock.monotonicMs();
    networks[0].partition();
    await until(() => egress.tunnel().active_relay_idx === 1, { pollMs: 1 });
    const noticedAfterMs = clock.monotonicMs() - cutAtMs;
    const beforeMove = flow.sent();
    await until(() => (sink.received.at(-1)?.readUInt32BE() ?? 0) > beforeMove + 500);
    flow.stop();
    const sent = flow.sent();
    await until(() => sink.received.at(-1)?.readUInt32BE() === sent - 1);
    const lost = longestGap(sink.received.map((payload) => payload.readUInt32BE()));
    process.stdout.write(
      `noticed after ${noticedAfterMs.toFixed(0)} ms; lost ${lost}, ${underWay} of them under way\n`,
    );
    // Long before the connection would end by silence.
    expect(noticedAfterMs).toBeLessThan(10_000);
    // One a millisecond until noticed.
    expect(lost).toBeLessThan(noticedAfterMs + underWay + 100);

    networks[0].heal();
    await until(() => egress.tunnel().active_relay_idx === 0);
    // One datagram alone may still be lost where no packet of the other edge has reached the relay again.
    await until(() => {
      source.send(Buffer.from('again'), egress.port());
      return sink.received.at(-1)?.toString() === 'again';
    });
  });

  it('opens new TCP connections over the backup while its primary is silent', async () => {
    await using server = await LocalTcpServer.start((socket) => socket.pipe(socket));
    await using world = await TwoRelays.open(engineName, 'tcp', server.addr);
    const { egress, networks } = world;
    const first = dialLocal(egress.port());
    first.write('x');
    await until(() => first.bytesRead === 1);
    networks[0].partition();
    first.write('y');
    await until(() => egress.tunnel().active_relay_idx === 1);
    const second = dialLocal(egress.port());
    second.end('over the backup');
    second.resume();
    expect(await closeOf(second)).toBeNull();
    expect(second.bytesRead).toBe('over the backup'.length);
    networks[0].heal();
    // The connection that the silence interrupted goes on where it was.
    await until(() => first.bytesRead === 2);
    first.destroy();
  });

  it('serves a peer that is bound at the backup only', async () => {
    await using engine = await openEngine(engineName);
    await using primary = await startAuthorizedRelay(engineName);
    await using backup = await startAuthorizedRelay(engineName);
    await using sink = await LocalUdpSocket.open();
    await using source = await LocalUdpSocket.open();
    const relays = { relay_addrs: [primary.address, backup.address] };
    await using egress = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'udp', direction: 'egress', ...relays }],
    });
    await using ingress = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'udp', direction: 'ingress', local_addr: sink.addr, relay_addr: backup.address }],
    });
    await ingress.reaches('ready');
    await until(() => egress.tunnel().active_relay_idx === 1);
    source.send(Buffer.from('hello'), egress.port());
    await until(() => sink.received.length === 1);
  });
});
