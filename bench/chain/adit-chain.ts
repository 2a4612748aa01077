import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { Edge } from '../paths/adit-edge.ts';
import { aditRelay } from '../relays/adit-relay.ts';
import type { Chain, FarEnd, RunningChain } from './chain.ts';

/** `adit relay` and two `adit edge` over one engine; of another checkout where `root` names one. */
export function aditChain(name: string, engine: EngineName, root: string): Chain {
  return {
    name,
    description: `adit edge, relay and edge, engine ${engine}${name === engine ? '' : `, of ${root}`}`,
    start: (folder, farEnd) => start({ engine, root }, folder, farEnd),
  };
}

async function start(
  { engine, root }: { readonly engine: EngineName; readonly root: string },
  folder: string,
  farEnd: FarEnd,
): Promise<RunningChain> {
  await using starting = new AsyncDisposableStack();
  const relay = starting.use(await aditRelay(engine, root).start(folder));
  const ids = { tcp: randomUUID(), udp: randomUUID() };
  const key = randomBytes(32).toString('hex');
  const edge = async (direction: 'egress' | 'ingress'): Promise<Edge> => {
    const tunnels = (['tcp', 'udp'] as const).map((protocol) => ({
      ...{ id: ids[protocol], name: protocol, protocol, direction, tunnel_encryption_key: key },
      local_addr: direction === 'egress' ? '127.0.0.1:0' : formatSocketAddress(farEnd[protocol]),
      relay_addrs: [relay.address],
    }));
    return starting.use(await Edge.start(direction, { root, engine, tunnels, folder: join(folder, direction) }));
  };
  const [near, far] = await Promise.all([edge('egress'), edge('ingress')]);
  const entries = await near.awaitReady();
  const [tcp, udp] = [entries.get(ids.tcp), entries.get(ids.udp)];
  if (tcp === undefined || udp === undefined) throw new Error('the edge does not list its tunnels');
  const running = starting.move();
  return {
    pids: { near: near.pid, relay: relay.pid, far: far.pid },
    entry: { tcp, udp },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
