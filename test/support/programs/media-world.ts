import { portOf, startAuthorizedRelay } from './authorized-relay.ts';
import { FaultyNetwork } from '../network/faulty-network.ts';
import type { Faults } from '../network/faulty-path.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import { openEngine } from './open-engine.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { startTestEdge, type TestEdge } from './test-edge.ts';
import type { TestRelay } from './test-relay.ts';

/** A UDP tunnel through a relay: the egress edge is behind a network that can be made bad, the ingress edge beside the relay. */
export class MediaWorld implements AsyncDisposable {
  readonly relay: TestRelay;
  readonly network: FaultyNetwork;
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
  /** A local program at the egress edge. */
  readonly source: LocalUdpSocket;
  /** The local program that the ingress edge sends to. */
  readonly sink: LocalUdpSocket;
  readonly #stack: AsyncDisposableStack;

  private constructor(stack: AsyncDisposableStack, parts: Omit<MediaWorld, typeof Symbol.asyncDispose | 'send'>) {
    this.#stack = stack;
    this.relay = parts.relay;
    this.network = parts.network;
    this.egress = parts.egress;
    this.ingress = parts.ingress;
    this.source = parts.source;
    this.sink = parts.sink;
  }

  /** Both edges are ready when it resolves. The faults are in force from the first packet on. */
  static async open(engineName: EngineName, faults: Partial<Faults> = {}, seed = 1): Promise<MediaWorld> {
    await using opening = new AsyncDisposableStack();
    const engine = opening.use(await openEngine(engineName));
    const source = opening.use(await LocalUdpSocket.open());
    const sink = opening.use(await LocalUdpSocket.open());
    const relay = opening.use(await startAuthorizedRelay(engineName));
    const target = { ip: '127.0.0.1', port: portOf(relay) };
    const network = opening.use(await FaultyNetwork.start({ target, faults, seed }));
    const egress = opening.use(
      await startTestEdge({
        engine,
        tunnels: [{ protocol: 'udp', direction: 'egress', relay_addr: `127.0.0.1:${network.address.port}` }],
      }),
    );
    const ingress = opening.use(
      await startTestEdge({
        engine,
        tunnels: [{ protocol: 'udp', direction: 'ingress', local_addr: sink.addr, relay_addr: relay.address }],
      }),
    );
    await egress.reaches('ready');
    await ingress.reaches('ready');
    return new MediaWorld(opening.move(), { relay, network, egress, ingress, source, sink });
  }

  /** A local program at the egress edge sends a datagram. */
  send(payload: Uint8Array): void {
    this.source.send(payload, this.egress.port());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
