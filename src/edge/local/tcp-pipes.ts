import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { LocalTcpPipe, LocalTcpSocket } from '../../quic/local-sockets.ts';
import type { QuicStream } from '../../quic/types.ts';
import type { LocalEndDependencies } from './local-end.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';

/** The open TCP connections of one tunnel, by the relay connection that carries them. */
export class TcpPipes {
  readonly #dependencies: Pick<LocalEndDependencies, 'counters' | 'logger'>;
  readonly #pipes = new Map<LocalTcpPipe, RelayConnection>();

  constructor(dependencies: Pick<LocalEndDependencies, 'counters' | 'logger'>) {
    this.#dependencies = dependencies;
  }

  /** Joins a local connection and a stream of `relay`. */
  join(socket: LocalTcpSocket, stream: QuicStream, relay: RelayConnection): void {
    const { counters, logger } = this.#dependencies;
    const onEnd = (error: Error | null): void => {
      if (error !== null) logger.debug({ error }, 'local connection failed');
      this.#pipes.delete(pipe);
      counters.connectionClosed();
    };
    counters.connectionOpened();
    const pipe = socket.join(stream, { onSent: () => relay.noteSent(), onEnd });
    this.#pipes.set(pipe, relay);
  }

  /** Resets the connections that `relay` carried. */
  abortOf(relay: RelayConnection): void {
    for (const [pipe, carrier] of this.#pipes) if (carrier === relay) pipe.abort(streamCode.legGone);
  }

  abortAll(): void {
    for (const pipe of this.#pipes.keys()) pipe.abort(streamCode.shuttingDown);
  }
}
