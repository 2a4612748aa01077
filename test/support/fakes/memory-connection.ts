import type { Clock } from '../../../src/lib/clock.ts';
import type { CloseInfo, ConnectionStats } from '../../../src/quic/connection-report.ts';
import type {
  ConnectionHandler,
  DatagramSendResult,
  DatagramTarget,
  Ledger,
  QuicConnection,
  RouteHandle,
  SocketAddress,
} from '../../../src/quic/types.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { MemoryStream } from './memory-stream.ts';

/** What one engine counts for all its connections. */
export interface MemoryCounters {
  unboundSender: number;
  malformed: number;
}

export interface MemoryConnectionOptions {
  readonly id: number;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  readonly role: 'client' | 'server';
  readonly transport: TransportSettings;
  readonly counters: MemoryCounters;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  later(task: () => void): void;
}

interface Route {
  readonly target: DatagramTarget;
  readonly ledger: Ledger;
}

const prefixBytes = 16;

/** QUIC's and DATAGRAM's headers and the tag, with 8-byte connection ids. */
const packetOverheadBytes = 38;

/** One end of a connection of the in-memory engine. */
export class MemoryConnection implements QuicConnection {
  readonly id: number;
  remote: SocketAddress;
  readonly local: SocketAddress;
  readonly peerCertificate = null;
  peer: MemoryConnection | null = null;
  handler: ConnectionHandler | null = null;
  proven = false;
  readonly localSends = 0;
  readonly #options: MemoryConnectionOptions;
  readonly #streams = new Map<number, MemoryStream>();
  readonly #routes = new Map<string, Route>();
  #nextBidi: number;
  #nextUni: number;
  #packetsReceived = 0;
  #packetsSent = 0;
  #heardAtMs: number;
  #ended = false;

  constructor(options: MemoryConnectionOptions) {
    this.#options = options;
    this.id = options.id;
    this.#heardAtMs = options.clock.monotonicMs();
    this.remote = options.remote;
    this.local = options.local;
    this.#nextBidi = options.role === 'client' ? 0 : 1;
    this.#nextUni = options.role === 'client' ? 2 : 3;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  openBidi(): MemoryStream | null {
    return this.#open(true);
  }

  openUni(): MemoryStream | null {
    return this.#open(false);
  }

  sendDatagram(payload: Uint8Array, ledger: Ledger | null = null): DatagramSendResult {
    const counts = ledger instanceof MemoryLedger ? ledger : null;
    const payloadBytes = payload.length - prefixBytes;
    counts?.datagramIn(payloadBytes);
    if (this.#ended) {
      counts?.drop('closing');
      return 'closed';
    }
    if (payload.length > this.#maxDatagramSize) {
      counts?.drop('too_large');
      return 'too_large';
    }
    counts?.datagramOut(payloadBytes);
    const copy = Uint8Array.from(payload);
    this.#toPeer((peer) => {
      peer.#receiveDatagram(copy);
    });
    return 'queued';
  }

  routeDatagrams(prefix: Uint8Array, target: DatagramTarget, ledger: Ledger): RouteHandle {
    const key = Buffer.from(prefix).toString('hex');
    const route = { target, ledger };
    this.#routes.set(key, route);
    return {
      withdraw: () => {
        if (this.#routes.get(key) === route) this.#routes.delete(key);
      },
    };
  }

  markProven(): void {
    this.proven = true;
  }

  get silentMs(): number {
    return this.#ended ? Infinity : this.#options.clock.monotonicMs() - this.#heardAtMs;
  }

  ping(): void {
    this.#toPeer((peer) => {
      peer.keepAlive();
    });
  }

  stats(): ConnectionStats {
    return {
      rttMs: 1,
      minRttMs: 1,
      packetsSent: this.#packetsSent,
      packetsReceived: this.#packetsReceived,
      packetsLost: 0,
      bytesSent: null,
      bytesReceived: null,
      congestionWindow: null,
      bytesInFlight: null,
      queuedDatagrams: 0,
      queuedDatagramBytes: 0,
      pathMtu: this.#options.transport.maxUdpPayload,
      maxDatagramSize: this.#maxDatagramSize,
    };
  }

  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#toPeer((peer) => {
      peer.end({ kind: 'peer-application', code, reason });
    });
    this.#options.later(() => {
      this.end({ kind: 'local', code, reason });
    });
  }

  /** For tests: this end is gone as a killed process is; the other end gets no packet about it. */
  vanish(): void {
    this.#ended = true;
    this.handler = null;
  }

  /** For tests: a packet that carries nothing. */
  keepAlive(): void {
    this.#toPeer(() => {});
  }

  end(info: CloseInfo): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const stream of this.#streams.values()) stream.lose();
    this.#streams.clear();
    this.#routes.clear();
    this.handler?.onClosed(info);
  }

  get #maxDatagramSize(): number {
    return this.#options.transport.maxUdpPayload - packetOverheadBytes;
  }

  #open(bidirectional: boolean): MemoryStream | null {
    const { peer } = this;
    if (this.#ended || peer === null) return null;
    const limits = peer.#options.transport;
    const opened = [...this.#streams.values()].filter((stream) => stream.bidirectional === bidirectional).length;
    if (opened >= (bidirectional ? limits.maxBidiStreams : limits.maxUniStreams)) return null;
    const id = bidirectional ? this.#nextBidi : this.#nextUni;
    if (bidirectional) this.#nextBidi += 4;
    else this.#nextUni += 4;
    const later = (task: () => void): void => {
      this.#options.later(task);
    };
    const near = new MemoryStream(id, this, bidirectional, later);
    const far = new MemoryStream(id, peer, bidirectional, later);
    near.peer = far;
    far.peer = near;
    this.#streams.set(id, near);
    this.#toPeer(() => {
      if (peer.isEnded) return;
      peer.#streams.set(id, far);
      peer.handler?.onStream(far);
    });
    return near;
  }

  #toPeer(task: (peer: MemoryConnection) => void): void {
    if (this.#ended) return;
    this.#packetsSent++;
    this.#options.later(() => {
      const { peer } = this;
      if (peer === null || peer.isEnded) return;
      peer.#packetsReceived++;
      peer.#heardAtMs = peer.#options.clock.monotonicMs();
      task(peer);
    });
  }

  #receiveDatagram(payload: Uint8Array): void {
    const { counters, transport } = this.#options;
    const key = Buffer.from(payload.subarray(0, prefixBytes)).toString('hex');
    const route = this.#routes.get(key);
    if (route !== undefined) this.#forward(payload, route);
    else if (transport.localDatagrams) this.handler?.onDatagram(payload);
    else if (payload.length < prefixBytes) counters.malformed++;
    else counters.unboundSender++;
  }

  #forward(payload: Uint8Array, { target, ledger }: Route): void {
    if (!(ledger instanceof MemoryLedger)) throw new TypeError('the ledger belongs to another engine');
    const bytes = payload.length - prefixBytes;
    ledger.datagramIn(bytes);
    if (target.kind === 'drop') {
      ledger.drop(target.reason);
      return;
    }
    const sent = target.to.sendDatagram(payload);
    if (sent === 'queued') ledger.datagramOut(bytes);
    else ledger.drop(sent === 'closed' ? 'no_peer' : sent);
  }
}
