import type { Socket } from 'node:dgram';
import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { Direction } from '../../protocol/tunnel/leg.ts';
import type { QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import { DatagramCarrier } from './datagram-carrier.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';
import type { LookUp } from './look-up.ts';
import { LastingUdpSocket } from './lasting-udp-socket.ts';
import { Senders } from './senders.ts';
import {
  closeLocalUdpSocket,
  openLocalUdpSocket,
  udpModeOf,
  type LocalUdpDependencies,
  type Sender,
} from './local-udp-socket.ts';

export interface UdpEndDependencies extends LocalEndDependencies, LocalUdpDependencies {
  readonly clock: Clock;
  readonly lookUp: LookUp;
}

export interface UdpEndSettings {
  readonly direction: Direction;
  /** The tunnel id's 16 bytes. */
  readonly prefix: Uint8Array;
  readonly localAddr: HostPort;
}

/**
 * One local UDP socket. Egress listens, and returns traffic to the last sender. Ingress sends from one port to one
 * address, and takes only replies of that address (docs/protocol/tunnel.md §8).
 */
export class UdpEnd implements LocalEnd {
  readonly #dependencies: UdpEndDependencies;
  readonly #settings: UdpEndSettings;
  readonly #carrier: DatagramCarrier;
  readonly #socket: LastingUdpSocket<Socket>;
  /** An egress end sends to the last one. */
  readonly #senders = new Senders();

  constructor(dependencies: UdpEndDependencies, settings: UdpEndSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#carrier = new DatagramCarrier(dependencies, settings.prefix);
    const { clock, counters, logger, lookUp, stalls } = dependencies;
    const mode = udpModeOf(settings.direction);
    const observer = {
      onLate: () => {
        counters.datagramOffered();
        counters.notSent('expired');
      },
      onMessage: (payload: Uint8Array, sender: Sender | null) => {
        if (sender !== null && this.#senders.note(sender)) counters.senderReturned();
        this.#carrier.send(payload);
      },
      onError: (error: Error) => this.#onError(error),
    };
    this.#socket = new LastingUdpSocket(
      {
        ...{ clock, logger },
        open: async (address) => {
          const { ip: host, port } = await lookUp(address);
          return openLocalUdpSocket(mode, { host, port }, observer, { clock, stalls });
        },
        portOf: (socket) => socket.address().port,
        close: closeLocalUdpSocket,
        onRenewed: (error) => counters.localRenewed(error),
      },
      mode,
      settings.localAddr,
    );
  }

  open(): Promise<HostPort> {
    return this.#socket.open();
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  onDataStream(stream: QuicStream): void {
    endStream(stream, streamCode.wrongProtocolOrDirection);
  }

  onDatagram(datagram: Uint8Array): void {
    const payload = this.#carrier.open(datagram);
    if (payload === null) return;
    const socket = this.#socket.current;
    if (socket === null) {
      this.#dependencies.counters.notDelivered('local_socket');
      return;
    }
    const { last } = this.#senders;
    if (this.#settings.direction === 'ingress') {
      socket.send(payload, this.#onSent);
    } else if (last === null) {
      this.#dependencies.counters.notDelivered('no_local_peer');
      return;
    } else {
      socket.send(payload, last.port, last.address, this.#onSent);
    }
    this.#dependencies.counters.datagramReceived(payload.length);
  }

  /** Datagrams belong to no connection. */
  onConnectionEnd(): void {
    return;
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#onError(error);
  };

  #onError(error: Error): void {
    this.#dependencies.counters.sendError(error);
    this.#socket.failed(error);
    this.#dependencies.logger.debug({ error }, 'local datagram not delivered');
  }
}
