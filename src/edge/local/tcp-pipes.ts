import type { Socket } from 'node:net';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { QuicStream } from '../../quic/types.ts';
import type { LocalEndDependencies } from './local-end.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import { TcpPipe } from './tcp-pipe.ts';

/** The open TCP connections of one tunnel, by the relay connection that carries them. */
export class TcpPipes {
  readonly #dependencies: LocalEndDependencies;
  readonly #pipes = new Map<TcpPipe, RelayConnection>();

  constructor(dependencies: LocalEndDependencies) {
    this.#dependencies = dependencies;
  }

  /** Joins a connected, paused socket and a stream of `relay`. */
  join(socket: Socket, stream: QuicStream, relay: RelayConnection): void {
    const { cipher, counters, logger } = this.#dependencies;
    const onEnd = (): void => {
      this.#pipes.delete(pipe);
      counters.connectionClosed();
    };
    const pipe: TcpPipe = new TcpPipe({ cipher, counters, logger, relay, onEnd }, socket, stream);
    this.#pipes.set(pipe, relay);
    counters.connectionOpened();
    pipe.start();
  }

  /** Resets the connections that `relay` carried. */
  abortOf(relay: RelayConnection): void {
    for (const [pipe, carrier] of this.#pipes) if (carrier === relay) pipe.abort(streamCode.legGone);
  }

  abortAll(): void {
    for (const pipe of this.#pipes.keys()) pipe.abort(streamCode.shuttingDown);
  }
}
