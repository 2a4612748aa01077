import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { LocalTunnel, LocalUdp, LocalUdpSocket } from '../../quic/local-sockets.ts';
import type { QuicConnection, QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import type { RelayConnection } from '../uplink/relay-connection.ts';
import { LastingUdpSocket } from './lasting-udp-socket.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';
import { udpModeOf, udpUnavailable } from './local-udp-socket.ts';
import type { LookUp } from './look-up.ts';
import type { UdpEndSettings } from './udp-end.ts';

export interface EngineUdpEndDependencies extends Pick<LocalEndDependencies, 'counters' | 'logger'> {
  readonly clock: Clock;
  readonly local: Pick<LocalTunnel, 'udp'>;
  readonly lookUp: LookUp;
}

/** As `UdpEnd`, where the engine moves the datagrams: this class only chooses the socket and the relay. */
export class EngineUdpEnd implements LocalEnd {
  readonly #dependencies: EngineUdpEndDependencies;
  readonly #udp: LocalUdp;
  readonly #socket: LastingUdpSocket<LocalUdpSocket>;
  readonly #connections = new Map<RelayConnection, QuicConnection>();

  constructor(dependencies: EngineUdpEndDependencies, settings: UdpEndSettings) {
    this.#dependencies = dependencies;
    const { clock, counters, local, logger } = dependencies;
    const { direction, localAddr, prefix } = settings;
    this.#udp = local.udp({ prefix, ledger: counters.ledger, onError: (error) => this.#onError(error) });
    const mode = udpModeOf(direction);
    this.#socket = new LastingUdpSocket(
      {
        ...{ clock, logger },
        open: (address) => this.#open(mode, address),
        portOf: ({ port }) => port,
        close: (socket) => socket.close(),
        onRenewed: (error) => counters.localRenewed(error),
      },
      mode,
      localAddr,
    );
  }

  open(): Promise<HostPort> {
    return this.#socket.open();
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
    const found = await this.#dependencies.lookUp(address);
    try {
      return await this.#udp.open(mode, found);
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
