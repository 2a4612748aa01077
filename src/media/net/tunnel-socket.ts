import type { MessagePort } from 'node:worker_threads';
import type { DatagramObserver, DatagramSocket } from './datagram-socket.ts';

/** The address that datagrams out of a tunnel seem to come from. */
const address = '0.0.0.0';
const port = 1;

/**
 * The worker's end of a tunnel of this edge. Datagrams cross the threads in batches: those of one turn of the event
 * loop are one message.
 */
export class TunnelSocket implements DatagramSocket {
  readonly localAddress: string;
  readonly #port: MessagePort;
  readonly #onBatch: (packets: readonly Uint8Array[]) => void;
  #batch: Uint8Array<ArrayBuffer>[] = [];
  #closed = false;

  constructor(tunnel: string, messagePort: MessagePort, observer: DatagramObserver) {
    this.localAddress = `tunnel ${tunnel}`;
    this.#port = messagePort;
    this.#onBatch = (packets) => {
      for (const packet of packets) {
        observer.onMessage(Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength), address, port);
      }
    };
    messagePort.on('message', this.#onBatch);
  }

  send(packet: Buffer): void {
    if (this.#closed) return;
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    // A view of a larger pool would be copied whole.
    this.#batch.push(Uint8Array.from(packet));
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#port.off('message', this.#onBatch);
    return Promise.resolve();
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (!this.#closed)
      this.#port.postMessage(
        batch,
        batch.map(({ buffer }) => buffer),
      );
  }
}

/** Where a caller dials to through a tunnel. */
export const tunnelRemote = { host: address, port } as const;
