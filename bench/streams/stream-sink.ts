import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { pause } from '../paths/media-flow.ts';

/** How long a sender may take until its first byte arrives. */
const startDeadlineMs = 60_000;
const pollMs = 5;

/** Where a stream arrives. It reads as fast as bytes come. */
export class StreamSink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #bytes = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('data', (chunk) => (this.#bytes += chunk.length));
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
    const giveUpMs = performance.now() + startDeadlineMs;
    while (this.#bytes === 0) {
      if (performance.now() > giveUpMs) throw new Error('no byte arrived');
      await pause(pollMs);
    }
    const [startMs, before] = [performance.now(), this.#bytes];
    await pause(seconds * 1000);
    return ((this.#bytes - before) * 8) / 1000 / (performance.now() - startMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
