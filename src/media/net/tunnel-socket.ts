import type { DatagramObserver, DatagramSocket } from './datagram-socket.ts';

/** The address that datagrams out of a tunnel seem to come from. */
const address = '0.0.0.0';
const port = 1;

export interface TunnelSocketDependencies {
  /** Sends to the tunnel; what comes while it does not run is lost. */
  readonly post: (packets: readonly Uint8Array<ArrayBuffer>[]) => void;
  readonly closed: () => void;
}

/**
 * The worker's end of a tunnel of this edge. Datagrams cross the threads in batches: those of one turn of the event
 * loop are one message.
 */
export class TunnelSocket implements DatagramSocket {
  readonly localAddress: string;
  readonly #observer: DatagramObserver;
  readonly #dependencies: TunnelSocketDependencies;
  #batch: Uint8Array<ArrayBuffer>[] = [];
  #closed = false;

  constructor(tunnel: string, observer: DatagramObserver, dependencies: TunnelSocketDependencies) {
    this.localAddress = `tunnel ${tunnel}`;
    this.#observer = observer;
    this.#dependencies = dependencies;
  }

  /** Datagrams came out of the tunnel. */
  take(packets: readonly Uint8Array[]): void {
    for (const packet of packets) {
      this.#observer.onMessage(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength), address, port);
    }
  }

  send(packet: Buffer): void {
    if (this.#closed) return;
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    // A view of a larger pool would be copied whole.
    this.#batch.push(Uint8Array.from(packet));
  }

  close(): Promise<void> {
    // The farewell of a connection that has just been closed still goes.
    this.#flush();
    this.#closed = true;
    this.#dependencies.closed();
    return Promise.resolve();
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.#dependencies.post(batch);
  }
}

/** Where a caller dials to through a tunnel. */
export const tunnelRemote = { host: address, port } as const;
