import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { pause } from '../paths/media-flow.ts';

/** From the start of a sender, until which its first byte has to come. */
const startDeadlineMs = 60_000;

/** Where a stream arrives. It reads as fast as bytes come. */
export class StreamSink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #first = Promise.withResolvers<void>();
  #bytes = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('data', (chunk) => {
        this.#bytes += chunk.length;
        this.#first.resolve();
      });
      // Its sender is ended while bytes are under way.
      socket.on('error', () => undefined);
    });
  }

  static async open(ip: string): Promise<StreamSink> {
    const sink = new StreamSink();
    sink.#server.listen(0, ip);
    await once(sink.#server, 'listening');
    return sink;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the sink does not listen');
    return address.port;
  }

  /** Megabits a second of the first `seconds` from the first byte on. Rejects when none comes. */
  async megabits(seconds: number): Promise<number> {
    const late = pause(startDeadlineMs).then(() => Promise.reject(new Error('no byte arrived')));
    late.catch(() => undefined);
    await Promise.race([this.#first.promise, late]);
    const [startMs, before] = [performance.now(), this.#bytes];
    await pause(seconds * 1000);
    return ((this.#bytes - before) * 8) / 1000 / (performance.now() - startMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
