import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../../src/quic/types.ts';

/** How a transfer ended. A cut one is fair while edges die; a short or wrong one never is. */
export type TransferEnd = 'complete' | 'cut' | 'short' | 'wrong';

const headBytes = 8;
const longestTransferMs = 120_000;

/** The bytes that a transfer of this number carries, each way its own. */
function content(number: number, way: 'up' | 'down', length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(`${way} ${number}`).digest();
}

/** Compares a stream of bytes with what it must be, as it comes. */
class Comparison {
  readonly #expected: Buffer;
  #at = 0;
  isWrong = false;

  constructor(expected: Buffer) {
    this.#expected = expected;
  }

  get isComplete(): boolean {
    return !this.isWrong && this.#at === this.#expected.length;
  }

  push(bytes: Buffer): void {
    const due = this.#expected.subarray(this.#at, this.#at + bytes.length);
    if (!due.equals(bytes)) this.isWrong = true;
    this.#at += bytes.length;
  }
}

/** Where the TCP tunnels of a soak lead: checks what comes, and answers with what must come back. */
export class TcpFarEnd implements AsyncDisposable {
  /** Transfers whose bytes were wrong, or that ended cleanly before their end. */
  readonly faults: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      this.#serve(socket);
    });
  }

  static async start(localIp: string): Promise<TcpFarEnd> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, localIp);
    await once(server, 'listening');
    return new TcpFarEnd(server);
  }

  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    let head = Buffer.alloc(0);
    let number = 0;
    let length = 0;
    let comparison: Comparison | null = null;
    socket.on('data', (bytes: Buffer) => {
      let rest = bytes;
      if (comparison === null) {
        head = Buffer.concat([head, bytes]);
        if (head.length < headBytes) return;
        number = head.readUInt32BE(0);
        length = head.readUInt32BE(4);
        comparison = new Comparison(content(number, 'up', length));
        rest = head.subarray(headBytes);
      }
      comparison.push(rest);
    });
    socket.on('end', () => {
      if (comparison?.isWrong === true) this.faults.push(`wrong byte in transfer ${number}`);
      else if (comparison?.isComplete === true) socket.end(content(number, 'down', length));
      else if (head.length > 0) this.faults.push(`transfer ${number} ended cleanly before its end`);
      else socket.end();
    });
    // A reset is how a cut transfer must end.
    socket.on('error', () => {});
  }
}

/** Sends the bytes of a transfer through a tunnel, and checks those that come back. */
export async function transferThrough(to: SocketAddress, number: number, length: number): Promise<TransferEnd> {
  const socket = connect({ port: to.port, host: to.ip, allowHalfOpen: true });
  const comparison = new Comparison(content(number, 'down', length));
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(number, 0);
  head.writeUInt32BE(length, 4);
  socket.on('data', (bytes: Buffer) => comparison.push(bytes));
  socket.on('end', () => socket.destroySoon());
  socket.on('error', () => {});
  socket.setTimeout(longestTransferMs, () => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(head);
  socket.end(content(number, 'up', length));
  await closed;
  if (comparison.isWrong) return 'wrong';
  if (comparison.isComplete) return 'complete';
  return socket.readableEnded ? 'short' : 'cut';
}
