import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { Edge } from '../paths/adit-edge.ts';
import { pause } from '../paths/media-flow.ts';
import { aditRelay } from '../relays/adit-relay.ts';
import { startSender, type StreamColumn } from './column.ts';
import { StreamSink } from './stream-sink.ts';

const loopback = '127.0.0.1';
/** On the other machine, which has nothing else. */
const localPort = 5001;
/** The edge searches for its path's MTU before the stream comes. */
const settleMs = 3000;

export interface TunnelColumnOptions {
  readonly name: string;
  readonly engine: EngineName;
  /** The checkout whose programs run. */
  readonly root: string;
}

/** `adit relay` and an edge here, and an edge on the other machine; the path is between that edge and the relay. */
export function tunnelColumn({ name, engine, root }: TunnelColumnOptions): StreamColumn {
  return {
    name,
    description: `adit relay and two adit edge, engine ${engine}${name === engine ? '' : `, of ${root}`}`,
    isKernel: false,
    async run(world) {
      const { machine, folder, seconds } = world;
      await using stack = new AsyncDisposableStack();
      const sink = stack.use(await StreamSink.open(loopback));
      const relay = stack.use(await aditRelay(engine, root, machine.here).start(folder));
      const tunnel = {
        ...{ id: randomUUID(), name: 'stream', protocol: 'tcp', relay_addrs: [relay.address] },
        tunnel_encryption_key: randomBytes(32).toString('hex'),
      };
      const edge = async (direction: string, localAddr: string, wrapper: readonly string[]): Promise<Edge> => {
        const tunnels = [{ ...tunnel, direction, local_addr: localAddr }];
        const place = join(folder, direction);
        return stack.use(await Edge.start(`${name} ${direction}`, { root, engine, tunnels, folder: place, wrapper }));
      };
      const near = await edge('ingress', `${loopback}:${sink.port}`, []);
      await edge('egress', `${loopback}:${localPort}`, machine.wrapper);
      // Ready at this end is ready at both.
      await near.awaitReady();
      await pause(settleMs);
      stack.use(startSender(world, loopback, localPort));
      return await sink.megabits(seconds);
    },
  };
}
