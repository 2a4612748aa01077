import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A local UDP program of a test on a free loopback port, which keeps what it gets. */
export class LocalUdpSocket implements AsyncDisposable {
  readonly received: Buffer[] = [];
  /** When each of them came, by the system's monotonic clock. */
  readonly receivedAtMs: number[] = [];
  receivedBytes = 0;
  lastSender: RemoteInfo | null = null;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (payload, from) => {
      this.received.push(payload);
      this.receivedBytes += payload.length;
      this.receivedAtMs.push(performance.now());
      this.lastSender = from;
    });
    // Nobody listens at the other end for a while in some tests.
    socket.on('error', () => {});
  }

  static async open(): Promise<LocalUdpSocket> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new LocalUdpSocket(socket);
  }

  get addr(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  send(payload: Uint8Array, port: number): void {
    this.#socket.send(payload, port, '127.0.0.1');
  }

  /** To whoever sent last. */
  reply(payload: Uint8Array): void {
    if (this.lastSender === null) throw new Error('nobody has sent yet');
    this.#socket.send(payload, this.lastSender.port, this.lastSender.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}
