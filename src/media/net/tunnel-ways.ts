import type { MessagePort } from 'node:worker_threads';
import { AppError } from '../../lib/app-error.ts';
import type { DatagramObserver, DatagramSocket } from './datagram-socket.ts';
import { TunnelSocket } from './tunnel-socket.ts';

/** The worker's way into one tunnel: a message port, and another one each time that the tunnel starts again. */
class TunnelWay {
  readonly sockets = new Set<TunnelSocket>();
  port: MessagePort | null = null;

  attach(port: MessagePort): void {
    this.port = port;
    port.on('message', (packets: readonly Uint8Array[]) => {
      for (const socket of this.sockets) socket.take(packets);
    });
    port.on('close', () => {
      if (this.port === port) this.port = null;
    });
  }
}

/** The tunnels of the edge that flows may name. A flow keeps its socket while its tunnel stops and starts again. */
export class TunnelWays {
  readonly #ways = new Map<string, TunnelWay>();

  /** A tunnel has started; flows name it in any of these ways. */
  attach(names: readonly string[], port: MessagePort): void {
    const way = names.map((name) => this.#ways.get(name)).find((known) => known !== undefined) ?? new TunnelWay();
    for (const [name, known] of this.#ways) if (known === way) this.#ways.delete(name);
    for (const name of names) this.#ways.set(name, way);
    way.attach(port);
  }

  /** Rejects with AppError `address-unavailable` where no such tunnel runs. */
  open(tunnel: string, observer: DatagramObserver): Promise<DatagramSocket> {
    const way = this.#ways.get(tunnel);
    if (way === undefined || way.port === null) {
      return Promise.reject(new AppError('address-unavailable', `there is no tunnel '${tunnel}' that carries UDP`));
    }
    const socket = new TunnelSocket(tunnel, observer, {
      post: (packets) =>
        way.port?.postMessage(
          packets,
          packets.map(({ buffer }) => buffer),
        ),
      closed: () => way.sockets.delete(socket),
    });
    way.sockets.add(socket);
    return Promise.resolve(socket);
  }
}
