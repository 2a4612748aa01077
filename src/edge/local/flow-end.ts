import type { HostPort } from '../../lib/host-port.ts';
import { streamCode } from '../../protocol/tunnel/close-code.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { QuicStream } from '../../quic/types.ts';
import { DatagramCarrier } from './datagram-carrier.ts';
import type { FlowGate, FlowGates } from './flow-gates.ts';
import type { LocalEnd, LocalEndDependencies } from './local-end.ts';

export interface FlowEndSettings {
  readonly tunnelId: TunnelId;
  readonly name: string;
  /** The tunnel id's 16 bytes. */
  readonly prefix: Uint8Array;
}

/** The local end of a tunnel that ends in a flow of this edge: no socket, no port. */
export class FlowEnd implements LocalEnd {
  readonly #dependencies: LocalEndDependencies;
  readonly #gates: FlowGates;
  readonly #settings: FlowEndSettings;
  readonly #carrier: DatagramCarrier;
  #gate: FlowGate | null = null;

  constructor(dependencies: LocalEndDependencies, gates: FlowGates, settings: FlowEndSettings) {
    this.#dependencies = dependencies;
    this.#gates = gates;
    this.#settings = settings;
    this.#carrier = new DatagramCarrier(dependencies, settings.prefix);
  }

  open(): Promise<HostPort> {
    const { tunnelId, name } = this.#settings;
    this.#gate = this.#gates.open(tunnelId, name, (datagram) => this.#carrier.send(datagram));
    return Promise.resolve({ host: '0.0.0.0', port: 0 });
  }

  close(): Promise<void> {
    this.#gate?.close();
    this.#gate = null;
    return Promise.resolve();
  }

  onDataStream(stream: QuicStream): void {
    stream.reset(streamCode.wrongProtocolOrDirection);
    stream.stop(streamCode.wrongProtocolOrDirection);
  }

  onDatagram(datagram: Uint8Array): void {
    const payload = this.#carrier.open(datagram);
    if (payload === null) return;
    if (this.#gate?.send(payload) === true) this.#dependencies.counters.datagramReceived(payload.length);
    else this.#dependencies.counters.notDelivered('no_local_peer');
  }

  /** Datagrams belong to no connection. */
  onConnectionEnd(): void {
    return;
  }
}
