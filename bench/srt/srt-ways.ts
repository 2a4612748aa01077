import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import type { SocketAddress } from '../../src/quic/types.ts';
import type { Faults } from '../../test/support/network/faulty-path.ts';
import { freeUdpPort } from '../../test/support/peers/free-udp-port.ts';
import { addressOf, Edge } from '../paths/adit-edge.ts';
import { pause } from '../paths/media-flow.ts';
import type { PathProcess } from '../paths/path-process.ts';
import { aditRelay, ownCheckout } from '../relays/adit-relay.ts';

/** Where SRT goes in, and where it comes out. */
export interface SrtWay {
  readonly name: string;
  /** What the caller dials. */
  readonly entry: SocketAddress;
  /** Where the listener waits. */
  readonly receiverPort: number;
  /** What the edges have dropped, by reason, for people; null where there are none. */
  readonly drops: () => Promise<string | null>;
}

/** What the way leads over. */
export interface WayOrder {
  readonly paths: PathProcess;
  readonly faults: Partial<Faults>;
  readonly seed: number;
  /** Temporary. */
  readonly folder: string;
}

/** The edge searches for its path's MTU before media comes. */
const settleMs = 4000;

/** The path alone. */
export async function bareWay({ paths, faults, seed }: WayOrder): Promise<SrtWay> {
  const receiverPort = await freeUdpPort();
  const target = { ip: '127.0.0.1', port: receiverPort };
  const path = await paths.open({ target, seed, faults: { up: faults, down: faults }, impairs: 'all' });
  return { name: 'bare', entry: path.address, receiverPort, drops: () => Promise.resolve(null) };
}

/** An edge, the same path, `adit relay` and an edge; what runs is added to `stack`. */
export async function tunnelWay(engine: EngineName, order: WayOrder, stack: AsyncDisposableStack): Promise<SrtWay> {
  const { paths, faults, seed } = order;
  const folder = join(order.folder, engine);
  mkdirSync(folder);
  const receiverPort = await freeUdpPort();
  const relay = stack.use(await aditRelay(engine).start(folder));
  const target = addressOf(relay.address);
  const path = await paths.open({ target, seed, faults: { up: faults, down: faults }, impairs: 'all' });
  const common = {
    id: randomUUID(),
    name: 'SRT',
    protocol: 'udp',
    tunnel_encryption_key: randomBytes(32).toString('hex'),
  };
  const edge = async (direction: string, localAddr: string, relayAddr: string): Promise<Edge> => {
    const tunnels = [{ ...common, direction, local_addr: localAddr, relay_addrs: [relayAddr] }];
    const place = join(folder, direction);
    return stack.use(await Edge.start(`${engine} ${direction}`, { root: ownCheckout, engine, tunnels, folder: place }));
  };
  const egress = await edge('egress', '127.0.0.1:0', formatSocketAddress(path.address));
  const ingress = await edge('ingress', `127.0.0.1:${receiverPort}`, relay.address);
  const entry = (await egress.awaitReady()).get(common.id);
  if (entry === undefined) throw new Error('the egress edge has no tunnel');
  await pause(settleMs);
  const drops = async (): Promise<string> =>
    JSON.stringify({ egress: await egress.drops(), ingress: await ingress.drops() });
  return { name: engine, entry, receiverPort, drops };
}
