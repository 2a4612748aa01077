import { createServer, type Server, type Socket } from 'node:net';
import { AppError } from '../../lib/app-error.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import { encodeStreamHeader } from '../../protocol/tunnel/stream-header.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import { TcpPipes } from './tcp-pipes.ts';

export interface TcpEgressSettings {
  readonly tunnelId: TunnelId;
  readonly localAddr: HostPort;
  readonly maxConnections: number;
}

/** So that a local program that vanished without a word does not hold a stream for ever. */
const keepAliveInitialDelay = 60_000;

/** Listens for local TCP connections and opens a data stream for each. */
export class TcpEgress implements LocalEnd {
  readonly #dependencies: LocalEndDependencies;
  readonly #settings: TcpEgressSettings;
  readonly #pipes: TcpPipes;
  #server: Server | null = null;

  constructor(dependencies: LocalEndDependencies, settings: TcpEgressSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#pipes = new TcpPipes(dependencies);
  }

  async open(): Promise<HostPort> {
    const { host, port } = this.#settings.localAddr;
    const options = {
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay,
    };
    const server = createServer(options, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        reject(
          new AppError('address-unavailable', `cannot listen on TCP ${formatHostPort({ host, port })}`, { cause }),
        );
      });
      server.listen({ host, port, ipv6Only: true }, resolve);
    });
    // A single failed accept (no file descriptors left) must not end the process; the next one may succeed.
    server.on('error', (error) => this.#dependencies.logger.warn({ error }, 'could not accept a local connection'));
    this.#server = server;
    const address = server.address();
    return { host, port: typeof address === 'object' && address !== null ? address.port : port };
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.#pipes.abortAll();
    await closed;
  }

  /** Only an egress leg opens streams, and that is us. */
  onDataStream(stream: QuicStream): void {
    endStream(stream, streamCode.wrongProtocolOrDirection);
  }

  onDatagram(): void {
    this.#dependencies.counters.datagramArrived();
    this.#dependencies.counters.notDelivered('wrong_tunnel');
  }

  onConnectionEnd(connection: RelayConnection): void {
    this.#pipes.abortOf(connection);
  }

  /** Without a way to the peer the local program is told so at once, with RST. */
  #accept(socket: Socket): void {
    const { activeRelay, counters, logger } = this.#dependencies;
    const relay = counters.connectionsActive < this.#settings.maxConnections ? activeRelay() : null;
    const stream = relay?.openStream() ?? null;
    if (relay === null || stream === null) {
      logger.debug({ ready: relay !== null }, 'local connection refused');
      socket.on('error', (error) => logger.debug({ error }, 'refused local connection failed'));
      socket.resetAndDestroy();
      return;
    }
    relay.noteSent();
    stream.write(encodeStreamHeader(this.#settings.tunnelId));
    this.#pipes.join(socket, stream, relay);
  }
}
