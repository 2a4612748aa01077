import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../../src/quic/types.ts';

const chunkBytes = 256 * 1024;
const drainDeadlineMs = 30_000;

/** A local program that takes everything and counts it. */
export class TcpSink implements AsyncDisposable {
  readonly address: SocketAddress;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #bytes = 0;
  #ended = Promise.withResolvers<undefined>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.address = { ip: '127.0.0.1', port };
    server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.on('data', (bytes) => (this.#bytes += bytes.length));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#open.delete(socket);
        this.#ended.resolve(undefined);
      });
    });
  }

  static async open(): Promise<TcpSink> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new TcpSink(server, address.port);
  }

  /** One connection that sends for `durationMs`. Rejects unless every byte arrives. */
  async pull(from: SocketAddress, durationMs: number): Promise<{ readonly bytes: number; readonly wallMs: number }> {
    this.#bytes = 0;
    this.#ended = Promise.withResolvers();
    const startMs = performance.now();
    const socket = connect(from.port, from.ip);
    await once(socket, 'connect');
    const chunk = Buffer.alloc(chunkBytes, 0x47);
    let sent = 0;
    while (performance.now() - startMs < durationMs) {
      sent += chunk.length;
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    socket.end();
    const late = setTimeout(() => this.#ended.reject(new Error('the stream did not end in time')), drainDeadlineMs);
    await this.#ended.promise;
    clearTimeout(late);
    const wallMs = performance.now() - startMs;
    if (this.#bytes !== sent) throw new Error(`of ${sent} bytes ${this.#bytes} arrived`);
    return { bytes: sent, wallMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
