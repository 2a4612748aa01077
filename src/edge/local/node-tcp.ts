import { connect, createServer, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import type {
  LocalTcp,
  LocalTcpConnectHandler,
  LocalTcpListener,
  LocalTcpListenerHandler,
  LocalTcpPipe,
  LocalTcpPipeHandler,
  LocalTcpSocket,
} from '../../quic/local-sockets.ts';
import type { QuicStream, SocketAddress } from '../../quic/types.ts';
import type { LocalEndDependencies } from './local-end.ts';
import { TcpPipe } from './tcp-pipe.ts';

type NodeTcpDependencies = Pick<LocalEndDependencies, 'cipher' | 'counters' | 'logger'>;

/** `keepAliveInitialDelay`: so that a local program that vanished without a word does not hold a stream for ever. */
const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };

/** Local TCP connections on Node's sockets, for an engine that has none of its own. */
export class NodeTcp implements LocalTcp {
  readonly #dependencies: NodeTcpDependencies;

  constructor(dependencies: NodeTcpDependencies) {
    this.#dependencies = dependencies;
  }

  async listen({ ip, port }: SocketAddress, handler: LocalTcpListenerHandler): Promise<LocalTcpListener> {
    const server = createServer({ ...socketOptions, pauseOnConnect: true }, (socket) =>
      handler.onConnection(new NodeTcpSocket(this.#dependencies, socket)),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: ip, port, ipv6Only: true }, resolve);
    });
    // A single failed accept (no file descriptors left) must not end the process; the next one may succeed.
    server.on('error', (error) => handler.onError(error));
    return { port: portOf(server) ?? port, close: promisify(server.close.bind(server)) };
  }

  connect({ ip, port }: SocketAddress, handler: LocalTcpConnectHandler): LocalTcpSocket {
    const socket = connect({ ...socketOptions, host: ip, port });
    const local = new NodeTcpSocket(this.#dependencies, socket);
    const onError = (error: Error): void => {
      if (!local.wasReset) handler.onFailed(error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      socket.pause();
      if (!local.wasReset) handler.onConnected();
    });
    return local;
  }
}

function portOf(server: Server): number | null {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : null;
}

class NodeTcpSocket implements LocalTcpSocket {
  readonly #dependencies: NodeTcpDependencies;
  readonly #socket: Socket;
  wasReset = false;

  constructor(dependencies: NodeTcpDependencies, socket: Socket) {
    this.#dependencies = dependencies;
    this.#socket = socket;
  }

  join(stream: QuicStream, handler: LocalTcpPipeHandler): LocalTcpPipe {
    const pipe = new TcpPipe({ ...this.#dependencies, handler }, this.#socket, stream);
    pipe.start();
    return pipe;
  }

  reset(): void {
    this.wasReset = true;
    const { logger } = this.#dependencies;
    this.#socket.on('error', (error) => logger.debug({ error }, 'refused local connection failed'));
    if (this.#socket.connecting) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }
}
