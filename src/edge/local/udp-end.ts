import type { Socket } from 'node:dgram';
import type { HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { Direction } from '../../protocol/tunnel/leg.ts';
import type { QuicStream } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import { DatagramCarrier } from './datagram-carrier.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';
import { closeLocalUdpSocket, openLocalUdpSocket, type LocalUdpDependencies, type Sender } from './local-udp-socket.ts';

export interface UdpEndDependencies extends LocalEndDependencies, LocalUdpDependencies {}

export interface UdpEndSettings {
  readonly direction: Direction;
  /** The tunnel id's 16 bytes. */
  readonly prefix: Uint8Array;
  readonly localAddr: HostPort;
}

/**
 * One local UDP socket. Egress listens, and returns traffic to whoever sent last; ingress passes traffic on to one
 * address from one port, and takes only that address's answers (docs/protocol/tunnel.md §8).
 */
export class UdpEnd implements LocalEnd {
  readonly #dependencies: UdpEndDependencies;
  readonly #settings: UdpEndSettings;
  readonly #carrier: DatagramCarrier;
  #socket: Socket | null = null;
  /** Whom an egress end answers. */
  #lastSender: Sender | null = null;

  constructor(dependencies: UdpEndDependencies, settings: UdpEndSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#carrier = new DatagramCarrier(dependencies, settings.prefix);
  }

  async open(): Promise<HostPort> {
    const { direction, localAddr } = this.#settings;
    // Connected, an ingress socket also hears by ICMP that nobody listens at its address.
    const { clock, counters, stalls } = this.#dependencies;
    const observer = {
      onLate: () => {
        counters.datagramOffered();
        counters.notSent('expired');
      },
      onMessage: (payload: Uint8Array, sender: Sender | null) => {
        this.#lastSender = sender ?? this.#lastSender;
        this.#carrier.send(payload);
      },
      onError: (error: Error) => this.#onError(error),
    };
    const mode = direction === 'egress' ? 'bind' : 'connect';
    const socket = await openLocalUdpSocket(mode, localAddr, observer, { clock, stalls });
    this.#socket = socket;
    return direction === 'egress' ? { host: localAddr.host, port: socket.address().port } : localAddr;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await closeLocalUdpSocket(socket);
  }

  onDataStream(stream: QuicStream): void {
    endStream(stream, streamCode.wrongProtocolOrDirection);
  }

  onDatagram(datagram: Uint8Array): void {
    const payload = this.#carrier.open(datagram);
    const socket = this.#socket;
    if (payload === null || socket === null) return;
    if (this.#settings.direction === 'ingress') {
      socket.send(payload, this.#onSent);
    } else if (this.#lastSender === null) {
      this.#dependencies.counters.notDelivered('no_local_peer');
      return;
    } else {
      socket.send(payload, this.#lastSender.port, this.#lastSender.address, this.#onSent);
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
    this.#dependencies.counters.sendError();
    this.#dependencies.logger.debug({ error }, 'local datagram not delivered');
  }
}
