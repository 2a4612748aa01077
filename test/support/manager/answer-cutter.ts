import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP connection through which only so much of an answer comes before it breaks. */
export class AnswerCutter implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #bytesLeft = Infinity;
  #answered = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((near) => {
      const far = connect(targetPort, '127.0.0.1');
      near.on('data', (data) => far.write(data));
      far.on('data', (data) => this.#pass(data, near, far));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
      }
    });
  }

  static async start(targetPort: number): Promise<AnswerCutter> {
    const cutter = new AnswerCutter(targetPort);
    cutter.#server.listen(0, '127.0.0.1');
    await once(cutter.#server, 'listening');
    return cutter;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Bytes of answers since the last `cutAfter`. */
  get answered(): number {
    return this.#answered;
  }

  /** From now on; `Infinity` cuts nothing. */
  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes;
    this.#answered = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #pass(data: Buffer, near: Socket, far: Socket): void {
    const part = data.subarray(0, Math.min(data.length, this.#bytesLeft));
    this.#bytesLeft -= part.length;
    this.#answered += part.length;
    if (part.length === data.length) {
      near.write(part);
      return;
    }
    // Ends after what came through; the manager's end breaks.
    near.end(part);
    far.resetAndDestroy();
  }
}
