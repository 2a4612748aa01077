import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const periodMs = 20;

/** A UDP device that sends each datagram back to where it came from, and can send some itself. */
export class EchoDevice implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #timers: NodeJS.Timeout[] = [];
  #isOpen = true;

  private constructor(socket: Socket, echoes: boolean) {
    this.#socket = socket;
    // Nobody listens at the other end for a while in some situations.
    socket.on('error', () => {});
    if (echoes) socket.on('message', (payload, from) => socket.send(payload, from.port, from.address));
  }

  static async open(echoes = true): Promise<EchoDevice> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 }).bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new EchoDevice(socket, echoes);
  }

  get addr(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Sends datagrams of this size to `ip:port` from now on. */
  sendTo(target: string, bytes: number, perSecond: number): void {
    const payload = Buffer.alloc(bytes);
    const [host = '', port] = target.split(':');
    const burst = Math.max(1, (perSecond * periodMs) / 1000);
    const every = Math.max(periodMs, 1000 / perSecond);
    const timer = setInterval(() => {
      for (let sent = 0; sent < burst; sent++) this.#socket.send(payload, Number(port), host);
    }, every);
    this.#timers.push(timer);
  }

  /** As when its program ends. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const timer of this.#timers) clearInterval(timer);
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
