import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { LocalTunnel, LocalUdp, LocalUdpSocket } from '../../quic/local-sockets.ts';
import type { QuicConnection, QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import { LastingUdpSocket } from './lasting-udp-socket.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';
import { udpUnavailable } from './local-udp-socket.ts';
import type { UdpEndSettings } from './udp-end.ts';

export interface EngineUdpEndDependencies extends Pick<LocalEndDependencies, 'counters' | 'logger'> {
  readonly clock: Clock;
  readonly local: Pick<LocalTunnel, 'udp'>;
}

/** As `UdpEnd`, where the engine moves the datagrams: here is decided which socket, and which relay. */
export class EngineUdpEnd implements LocalEnd {
  readonly #dependencies: EngineUdpEndDependencies;
  readonly #settings: UdpEndSettings;
  readonly #udp: LocalUdp;
  readonly #socket: LastingUdpSocket<LocalUdpSocket>;
  readonly #connections = new Map<RelayConnection, QuicConnection>();

  constructor(dependencies: EngineUdpEndDependencies, settings: UdpEndSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const { clock, counters, local, logger } = dependencies;
    const { direction, localAddr, prefix } = settings;
    this.#udp = local.udp({ prefix, ledger: counters.ledger, onError: (error) => this.#onError(error) });
    const mode = direction === 'egress' ? 'bind' : 'connect';
    this.#socket = new LastingUdpSocket(
      {
        ...{ clock, logger },
        open: (port) => this.#open(mode, { ...localAddr, port }),
        portOf: ({ port }) => port,
        close: (socket) => socket.close(),
        onRenewed: (error) => counters.localRenewed(error),
      },
      mode,
      localAddr.port,
    );
  }

  async open(): Promise<HostPort> {
    const { direction, localAddr } = this.#settings;
    const { port } = await this.#socket.open();
    return direction === 'egress' ? { host: localAddr.host, port } : localAddr;
  }

  async close(): Promise<void> {
    await this.#socket.close();
    this.#udp.close();
  }

  onDataStream(stream: QuicStream): void {
    endStream(stream, streamCode.wrongProtocolOrDirection);
  }

  /** The engine has taken this tunnel's own. */
  onDatagram(): void {
    this.#dependencies.counters.datagramArrived();
    this.#dependencies.counters.notDelivered('wrong_tunnel');
  }

  onConnectionStart(connection: RelayConnection, quic: QuicConnection): void {
    this.#connections.set(connection, quic);
    this.#udp.receiveFrom(quic);
  }

  onActiveRelay(relay: RelayConnection | null): void {
    this.#udp.sendOver(relay === null ? null : (this.#connections.get(relay) ?? null));
  }

  onConnectionEnd(connection: RelayConnection): void {
    this.#connections.delete(connection);
  }

  async #open(mode: 'bind' | 'connect', address: HostPort): Promise<LocalUdpSocket> {
    try {
      return await this.#udp.open(mode, { ip: address.host, port: address.port });
    } catch (cause) {
      throw udpUnavailable(mode, address, cause);
    }
  }

  #onError(error: Error): void {
    this.#dependencies.counters.localFails(error);
    this.#socket.failed(error);
    this.#dependencies.logger.debug({ error }, 'local datagram not delivered');
  }
}
