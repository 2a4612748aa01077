import type { CloseInfo, ConnectionStats } from '../connection-report.ts';
import {
  type ConnectionHandler,
  type DatagramSendResult,
  type DatagramTarget,
  dropReasons,
  type Ledger,
  type QuicStream,
  type RouteHandle,
  type SocketAddress,
} from '../types.ts';
import type { NativeBinding } from './addon.ts';
import { QuinnLedger } from './quinn-ledger.ts';
import { QuinnStream, type QuinnStreamDependencies, type QuinnStreamOwner } from './quinn-stream.ts';

const sendResults: readonly DatagramSendResult[] = ['queued', 'too_large', 'queue_full', 'closed'];

export class QuinnConnection implements QuinnStreamOwner {
  readonly id: number;
  readonly local: SocketAddress;
  /** The engine keeps it to itself. */
  readonly peerCertificate = null;
  readonly #dependencies: QuinnStreamDependencies;
  readonly #binding: NativeBinding;
  readonly #streams = new Map<number, QuinnStream>();
  #remote: SocketAddress;
  #handler: ConnectionHandler | undefined;
  #isOpen = true;
  /** As of the last report: an ended connection reports nothing. */
  #localSends = 0;

  constructor(dependencies: QuinnStreamDependencies, id: number, remote: SocketAddress, local: SocketAddress) {
    this.#dependencies = dependencies;
    this.#binding = dependencies.binding;
    this.id = id;
    this.#remote = remote;
    this.local = local;
  }

  get remote(): SocketAddress {
    return this.#remote;
  }

  get silentMs(): number {
    return this.#binding.silentMs(this.id);
  }

  get localSends(): number {
    this.#localSends = Math.max(this.#localSends, this.#binding.localSends(this.id));
    return this.#localSends;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  setHandler(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  openBidi(): QuicStream | null {
    return this.#open(true);
  }

  openUni(): QuicStream | null {
    return this.#open(false);
  }

  sendDatagram(payload: Uint8Array, ledger: Ledger | null = null): DatagramSendResult {
    const counts = ledger === null ? null : QuinnLedger.bindingOf(ledger);
    return sendResults[this.#binding.sendDatagram(this.id, payload, counts)] ?? 'closed';
  }

  routeDatagrams(prefix: Uint8Array, target: DatagramTarget, ledger: Ledger): RouteHandle {
    const to = target.kind === 'forward' ? target.to.id : -1;
    const reason = target.kind === 'drop' ? dropReasons.indexOf(target.reason) : 0;
    const own = Uint8Array.from(prefix);
    const token = this.#binding.setRoute(this.id, own, to, reason, QuinnLedger.bindingOf(ledger));
    return { withdraw: () => this.#binding.withdrawRoute(this.id, own, token) };
  }

  markProven(): void {
    this.#binding.markProven(this.id);
  }

  ping(): void {
    this.#binding.ping(this.id);
  }

  stats(): ConnectionStats {
    const numbers = this.#binding.stats(this.id);
    const field = (i: number): number | null => {
      const value = numbers[i];
      return value === undefined || Number.isNaN(value) ? null : value;
    };
    return {
      rttMs: field(0),
      minRttMs: field(1),
      packetsSent: field(2),
      packetsReceived: field(3),
      packetsLost: field(4),
      bytesSent: field(5),
      bytesReceived: field(6),
      congestionWindow: field(7),
      // quinn-proto keeps it to itself.
      bytesInFlight: null,
      queuedDatagrams: field(8),
      queuedDatagramBytes: field(9),
      pathMtu: field(10),
      maxDatagramSize: field(11),
    };
  }

  close(code: number, reason: string): void {
    this.#binding.close(this.id, code, reason);
  }

  forgetStream(stream: number): void {
    this.#streams.delete(stream);
  }

  tellStream(id: number): void {
    const stream = this.#remember(id, false);
    this.#handler?.onStream(stream);
  }

  stream(id: number): QuinnStream | undefined {
    return this.#streams.get(id);
  }

  tellDatagram(payload: Uint8Array): void {
    this.#handler?.onDatagram(payload);
  }

  reportLateDatagram(): void {
    this.#handler?.onLateDatagram?.();
  }

  tellAddressChange(remote: SocketAddress): void {
    this.#remote = remote;
    this.#handler?.onAddressChange(remote);
  }

  tellClosed(info: CloseInfo): void {
    this.#isOpen = false;
    this.#streams.clear();
    this.#handler?.onClosed(info);
  }

  #open(bidirectional: boolean): QuicStream | null {
    const id = this.#binding.openStream(this.id, bidirectional);
    return id < 0 ? null : this.#remember(id, true);
  }

  #remember(id: number, ours: boolean): QuinnStream {
    const stream = new QuinnStream(this.#dependencies, this, id, ours);
    this.#streams.set(id, stream);
    return stream;
  }
}
