import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A local TCP program of a test on a free loopback port; `serve` gets each connection. */
export class LocalTcpServer implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.sockets.push(socket);
      // A test that wants to know of a reset listens for it itself.
      socket.on('error', () => {});
      serve(socket);
    });
  }

  static async start(serve: (socket: Socket) => void): Promise<LocalTcpServer> {
    const local = new LocalTcpServer(serve);
    local.#server.listen(0, '127.0.0.1');
    await once(local.#server, 'listening');
    return local;
  }

  get addr(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not listening');
    return `127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A client socket on its way; its errors are `closeOf`'s to tell. */
export function dialLocal(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {});
  return socket;
}

/** Resolves when the socket is gone: null after a clean end, else the error's code. */
export function closeOf(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    let code: string | null = null;
    socket.on('error', (error) => {
      code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
    });
    socket.on('close', () => resolve(code));
  });
}

/** SHA-256 and length of everything that the socket still brings. */
export async function digestOf(socket: Socket): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes `chunks` with back-pressure, then FIN; answers what `digestOf` at the other end must answer. */
export async function sendAll(socket: Socket, chunks: Iterable<Buffer>): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  return { bytes, sha256: hash.digest('hex') };
}
