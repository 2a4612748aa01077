import { freePort } from '../../../src/cli/demo/free-port.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { createTunnelKit, createTunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { formatSocketAddress, parseSocketAddress } from '../../../src/lib/socket-address.ts';
import type { Direction } from '../../../src/protocol/tunnel/leg.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { FaultyNetwork } from '../network/faulty-network.ts';
import type { Faults } from '../network/faulty-path.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import { runEdge, runRelay, type ConfigKeys } from './running-programs.ts';
import { until } from '../until.ts';

export interface WhyWorldOptions {
  readonly engine: EngineName;
  /** Of the network between the ingress edge and the relay. */
  readonly faults?: Partial<Faults>;
  /** What differs in the configs; null leaves that edge away. */
  readonly relay?: ConfigKeys;
  readonly egressTunnel?: ConfigKeys | null;
  readonly ingressTunnel?: ConfigKeys | null;
}

type Place = 'relay' | Direction;

/** A whole relay and two whole edges with one UDP tunnel, of which people ask `adit why`. */
export interface WhyWorld extends AsyncDisposable {
  /** Between the ingress edge and the relay. */
  readonly network: FaultyNetwork;
  /** Where the egress edge takes datagrams. */
  readonly localAddr: string;
  /** Asks there until the answer has these words, and returns it. */
  says(place: Place, words: string | RegExp): Promise<string>;
  /** A local program that sends datagrams of this size into the tunnel from now on. */
  send(bytes: number, perSecond: number): void;
  /** Ends that edge. */
  leave(direction: Direction): Promise<void>;
  /** Another edge for the same side, of which nobody asks anything; the returned call ends it. */
  join(direction: Direction, edgeId: string): Promise<() => Promise<void>>;
}

const sendPeriodMs = 20;

export async function startWhyWorld(options: WhyWorldOptions): Promise<WhyWorld> {
  await using starting = new AsyncDisposableStack();
  const secrets = createTunnelSecrets(new SystemRandom());
  const quic = { engine: options.engine };
  const relay = starting.use(
    await runRelay({ tunnels: [{ id: secrets.id, bind_secret: secrets.bindSecret }], quic, ...options.relay }),
  );
  const [near = ''] = relay.quicAddresses;
  const target = parseSocketAddress(near);
  if (target === null) throw new Error(`no address: ${near}`);
  const network = starting.use(await FaultyNetwork.start({ target, faults: options.faults ?? {} }));
  const destination = starting.use(await LocalUdpSocket.open());
  const source = starting.use(await LocalUdpSocket.open());
  const localPort = await freePort();
  const localAddr = `127.0.0.1:${localPort}`;
  const apis = new Map<Place, string>([['relay', relay.apiAddresses[0] ?? '']]);
  const edges = new Map<Direction, Awaited<ReturnType<typeof runEdge>>>();
  const started = starting.use(new AsyncDisposableStack());
  const join = async (direction: Direction, edgeId: string, changes: ConfigKeys = {}) => {
    const relays = [direction === 'ingress' ? formatSocketAddress(network.address) : near];
    const relayFingerprint = relay.certificateFingerprint;
    const local = { listen: localAddr, forward: destination.addr };
    const kit = createTunnelKit({ name: 'camera-1', protocol: 'udp', relays, relayFingerprint, ...local }, secrets);
    const tunnels = kit[`${direction}Edge`].tunnels.map((tunnel) => ({ ...tunnel, ...changes }));
    const edge = started.use(await runEdge({ edge_id: edgeId, api_addr: '127.0.0.1:0', quic, tunnels }));
    if (!edges.has(direction)) {
      edges.set(direction, edge);
      apis.set(direction, edge.apiAddresses[0] ?? '');
    }
    return () => edge.stop();
  };
  if (options.egressTunnel !== null) await join('egress', 'camera', options.egressTunnel);
  if (options.ingressTunnel !== null) await join('ingress', 'studio', options.ingressTunnel);
  let timer: NodeJS.Timeout | undefined;
  starting.defer(() => clearInterval(timer));
  const running = starting.move();
  return {
    network,
    localAddr,
    says: async (place, words) => {
      let last = '';
      await until(
        async () => {
          last = await adit('why', secrets.id, '--seconds', '0.5', '--url', `http://${apis.get(place) ?? ''}`);
          return typeof words === 'string' ? last.includes(words) : words.test(last);
        },
        { what: `"${String(words)}"; at the end it said: ${last}` },
      );
      return last;
    },
    send(bytes, perSecond) {
      const payload = Buffer.alloc(bytes);
      const burst = (perSecond * sendPeriodMs) / 1000;
      timer = setInterval(() => {
        for (let i = 0; i < burst; i++) source.send(payload, localPort);
      }, sendPeriodMs);
    },
    leave: async (direction) => edges.get(direction)?.stop(),
    join: (direction, edgeId) => join(direction, edgeId),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function adit(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const program = await createProgram({ out: (text) => printed.push(text) }, args);
  await program.parseAsync(['node', 'adit', ...args]);
  return printed.join('');
}
