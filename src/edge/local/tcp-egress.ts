import { addressUnavailable } from '../../lib/address-unavailable.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import { encodeStreamHeader } from '../../protocol/tunnel/stream-header.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { LocalTcp, LocalTcpListener, LocalTcpSocket } from '../../quic/local-sockets.ts';
import type { QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import { TcpPipes } from './tcp-pipes.ts';
import type { ConnectionRefusal } from './tunnel-counters.ts';

export interface TcpEgressDependencies extends Pick<LocalEndDependencies, 'activeRelay' | 'counters' | 'logger'> {
  readonly clock: Pick<Clock, 'setTimeout'>;
  readonly tcp: LocalTcp;
}

export interface TcpEgressSettings {
  readonly tunnelId: TunnelId;
  readonly localAddr: HostPort;
  readonly maxConnections: number;
}

/** A relay grants a new connection few streams, and the rest when the first of them reach it: a round trip. */
const streamWait = { retryMs: 10, tries: 100 };

/** A local connection that has no stream yet. */
interface Waiting {
  readonly socket: LocalTcpSocket;
  triesLeft: number;
}

/** Listens for local TCP connections and opens a data stream for each. */
export class TcpEgress implements LocalEnd {
  readonly #dependencies: TcpEgressDependencies;
  readonly #settings: TcpEgressSettings;
  readonly #pipes: TcpPipes;
  readonly #waiting: Waiting[] = [];
  #retryTimer: Timer | null = null;
  #listener: LocalTcpListener | null = null;

  constructor(dependencies: TcpEgressDependencies, settings: TcpEgressSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#pipes = new TcpPipes(dependencies);
  }

  async open(): Promise<HostPort> {
    const { host, port } = this.#settings.localAddr;
    const { counters, logger, tcp } = this.#dependencies;
    try {
      this.#listener = await tcp.listen(
        { ip: host, port },
        {
          onConnection: (socket) => this.#accept(socket),
          onError: (error) => {
            counters.connectionRefused('not_accepted');
            logger.debug({ error }, 'could not accept a local connection');
          },
        },
      );
    } catch (cause) {
      throw addressUnavailable(`cannot listen on TCP ${formatHostPort({ host, port })}`, cause);
    }
    return { host, port: this.#listener.port };
  }

  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    if (listener === null) return;
    const closed = listener.close();
    this.#retryTimer?.cancel();
    for (const { socket } of this.#waiting.splice(0)) socket.reset();
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

  /** Without a way to the peer the local program gets RST at once. */
  #accept(socket: LocalTcpSocket): void {
    const { counters } = this.#dependencies;
    const isFull = counters.connectionsActive + this.#waiting.length >= this.#settings.maxConnections;
    const outcome = isFull ? 'too_many' : this.#waiting.length > 0 ? 'no_stream' : this.#join(socket);
    if (outcome === 'no_stream') {
      this.#waiting.push({ socket, triesLeft: streamWait.tries });
      this.#planRetry();
    } else if (outcome !== 'joined') {
      this.#refuse(socket, outcome);
    }
  }

  #refuse(socket: LocalTcpSocket, reason: ConnectionRefusal): void {
    this.#dependencies.counters.connectionRefused(reason);
    this.#dependencies.logger.debug({ reason }, 'local connection refused');
    socket.reset();
  }

  #join(socket: LocalTcpSocket): 'joined' | 'no_stream' | 'no_relay' {
    const relay = this.#dependencies.activeRelay();
    if (relay === null) return 'no_relay';
    const stream = relay.openStream();
    if (stream === null) return 'no_stream';
    relay.noteSent();
    stream.write(encodeStreamHeader(this.#settings.tunnelId));
    this.#pipes.join(socket, stream, relay);
    return 'joined';
  }

  #planRetry(): void {
    this.#retryTimer ??= this.#dependencies.clock.setTimeout(() => this.#retry(), streamWait.retryMs);
  }

  /** Those that came first have the first streams. */
  #retry(): void {
    this.#retryTimer = null;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.triesLeft -= 1;
      const outcome = this.#waiting.length > 0 ? 'no_stream' : this.#join(waiting.socket);
      if (outcome === 'joined') continue;
      if (outcome === 'no_stream' && waiting.triesLeft > 0) this.#waiting.push(waiting);
      else this.#refuse(waiting.socket, outcome);
    }
    if (this.#waiting.length > 0) this.#planRetry();
  }
}
