import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import { STREAM_HEADER_DEADLINE_MS } from '../../protocol/tunnel/limits.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { LocalTcp } from '../../quic/local-sockets.ts';
import type { QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import { HeaderReader } from '../../tunnel-wire/read-header.ts';
import { connectTo, type LookUp } from './look-up.ts';
import { edgeStreamCode, type LocalEnd, type LocalEndDependencies } from './local-end.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import { TcpPipes } from './tcp-pipes.ts';

export interface TcpIngressDependencies extends Pick<LocalEndDependencies, 'counters' | 'logger'> {
  readonly clock: Clock;
  readonly tcp: LocalTcp;
  readonly lookUp: LookUp;
}

export interface TcpIngressSettings {
  readonly tunnelId: TunnelId;
  readonly localAddr: HostPort;
  readonly maxConnections: number;
}

/** Longer than a slow start of the local program, shorter than a caller's patience. */
const connectDeadlineMs = 10_000;
const ignore = (): void => undefined;

/** A stream that has no local connection yet. */
interface Pending {
  readonly relay: RelayConnection;
  readonly cancel: (code: number) => void;
}

/** Accepts data streams and makes a local TCP connection for each. */
export class TcpIngress implements LocalEnd {
  readonly #dependencies: TcpIngressDependencies;
  readonly #settings: TcpIngressSettings;
  readonly #pipes: TcpPipes;
  readonly #pending = new Set<Pending>();
  #localRefuses = false;

  constructor(dependencies: TcpIngressDependencies, settings: TcpIngressSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#pipes = new TcpPipes(dependencies);
  }

  open(): Promise<HostPort> {
    return Promise.resolve(this.#settings.localAddr);
  }

  close(): Promise<void> {
    for (const { cancel } of this.#pending) cancel(streamCode.shuttingDown);
    this.#pipes.abortAll();
    return Promise.resolve();
  }

  onDatagram(): void {
    this.#dependencies.counters.datagramArrived();
    this.#dependencies.counters.notDelivered('wrong_tunnel');
  }

  onConnectionEnd(connection: RelayConnection): void {
    for (const { relay, cancel } of this.#pending) if (relay === connection) cancel(streamCode.legGone);
    this.#pipes.abortOf(connection);
  }

  onDataStream(stream: QuicStream, relay: RelayConnection): void {
    const open = this.#dependencies.counters.connectionsActive + this.#pending.size;
    if (open >= this.#settings.maxConnections) {
      this.#dependencies.counters.connectionRefused('too_many');
      endStream(stream, streamCode.overload);
      return;
    }
    const pending: Pending = {
      relay,
      cancel: (code) => {
        header.cancel();
        this.#pending.delete(pending);
        endStream(stream, code);
      },
    };
    const onHeader = (tunnelId: TunnelId): void => {
      if (tunnelId !== this.#settings.tunnelId) {
        pending.cancel(streamCode.notALeg);
        return;
      }
      this.#pending.delete(pending);
      this.#connectLocal(stream, relay);
    };
    const outcome = { onHeader, onFailed: pending.cancel };
    const settings = { deadlineMs: STREAM_HEADER_DEADLINE_MS, failsWhenStopped: true };
    const header = new HeaderReader(this.#dependencies.clock, stream, outcome, settings);
    this.#pending.add(pending);
  }

  #connectLocal(stream: QuicStream, relay: RelayConnection): void {
    const { clock, counters } = this.#dependencies;
    const pending: Pending = {
      relay,
      cancel: (code) => {
        this.#pending.delete(pending);
        deadline.cancel();
        socket.reset();
        endStream(stream, code);
      },
    };
    const onFailed = (error: Error): void => {
      counters.sendError(error);
      this.#noteRefusal(error);
      pending.cancel(edgeStreamCode.localRefused);
    };
    const onConnected = (): void => {
      deadline.cancel();
      this.#localRefuses = false;
      counters.localWorks();
      this.#pending.delete(pending);
      this.#pipes.join(socket, stream, relay);
    };
    const socket = connectTo(this.#settings.localAddr, { onConnected, onFailed }, this.#dependencies);
    const deadline = clock.setTimeout(() => {
      onFailed(new AppError('timed-out', `no answer within ${connectDeadlineMs / 1000} s`));
    }, connectDeadlineMs);
    this.#pending.add(pending);
    // Data waits in the stream; it is read once there is a socket to give it to.
    stream.setHandler({ onReadable: ignore, onWritable: ignore, onStopped: (code) => pending.cancel(code) });
  }

  /** The first of a row is worth a warning; every refused connection after it is not. */
  #noteRefusal(error: Error): void {
    const level = this.#localRefuses ? 'debug' : 'warn';
    this.#localRefuses = true;
    this.#dependencies.logger[level]({ error }, 'local program does not accept connections');
  }
}
