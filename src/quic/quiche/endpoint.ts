import type { RemoteInfo } from 'node:dgram';
import { AppError } from '../../lib/app-error.ts';
import type { TransportSettings } from '../transport-settings.ts';
import { ClosedConnection } from './closed-connection.ts';
import { QuicheConnection } from './connection.ts';
import type { ConnectionEnvironment } from './connection-environment.ts';
import type { EngineParts } from './engine-parts.ts';
import {
  hasFixedBit,
  isLongHeader,
  minShortPacketBytes,
  ownIdBytes,
  parseLongHeader,
  type LongHeader,
} from './packet-header.ts';
import { PeerPath } from './peer-path.ts';
import { UdpSocket, type UdpSocketOptions } from './udp-socket.ts';
import { WordTable, wordAt } from './word-table.ts';

/** A taker of packets with one of our connection ids. */
interface PacketTarget {
  /** `late`: its datagrams are too old to be passed on. */
  onPacket(packet: Uint8Array, remote: RemoteInfo, nowMs: number, late?: boolean): void;
}

/** What becomes of packets that no connection takes. */
export interface StrayHandler {
  /** A long header whose destination id is not ours. True: it was of use. */
  onLongHeader(packet: Uint8Array, header: LongHeader, remote: RemoteInfo, nowMs: number): boolean;
  /** A packet for a connection that is not here. */
  onUnknownConnection(packet: Uint8Array, remote: RemoteInfo): void;
  onFailed(error: Error): void;
}

/** A connection to be; what is left out the endpoint adds. */
export type NewConnection = Pick<ConnectionEnvironment, 'isServer' | 'handle' | 'onEstablished' | 'onFailed'> & {
  readonly connectionId: Uint8Array;
  readonly remote: { readonly ip: string; readonly port: number };
  /** The id that a client chose for its first packets. */
  readonly firstId: Uint8Array | null;
};

interface Entry {
  readonly w0: number;
  readonly w1: number;
  readonly firstKey: string | null;
}

/** One UDP socket and the connections on it. */
export class Endpoint {
  readonly #parts: EngineParts;
  readonly #transport: TransportSettings;
  readonly #strays: StrayHandler;
  readonly #byId: WordTable<PacketTarget>;
  /** Connections whose client may not know our id yet, by its own and its address. */
  readonly #byFirstId = new Map<string, QuicheConnection>();
  readonly #entries = new Map<QuicheConnection, Entry>();
  readonly #closed = new Set<ClosedConnection>();
  #socket: UdpSocket | null = null;
  #isClosed = false;
  #whenEmpty: (() => void)[] = [];

  constructor(parts: EngineParts, transport: TransportSettings, strays: StrayHandler) {
    this.#parts = parts;
    this.#transport = transport;
    this.#strays = strays;
    this.#byId = new WordTable(parts.seed);
  }

  get connections(): number {
    return this.#entries.size;
  }

  get socket(): UdpSocket {
    if (this.#socket === null) throw new AppError('bug', 'the endpoint is not bound');
    return this.#socket;
  }

  /** Rejects with AppError `address-unavailable`, or `closed` when it was closed meanwhile. */
  async bind(address: UdpSocketOptions['address']): Promise<void> {
    const options = {
      address,
      bufferBytes: this.#transport.socketBufferBytes,
      maxPayload: this.#transport.maxUdpPayload,
      maxAgeMs: this.#transport.datagramQueueMs,
    };
    const handler = {
      onPacket: (packet: Uint8Array, remote: RemoteInfo, late: boolean) => this.#onPacket(packet, remote, late),
      onFailed: (error: Error) => this.#strays.onFailed(error),
    };
    const socket = await UdpSocket.bind(options, handler, this.#parts);
    this.#socket = socket;
    if (!this.#isClosed) return;
    await socket.close();
    throw new AppError('closed', 'the QUIC engine is closed');
  }

  add(options: NewConnection): QuicheConnection {
    const { clock, loop, timers, counters, seed } = this.#parts;
    const { connectionId, remote, firstId, ...rest } = options;
    const connection = new QuicheConnection({
      ...rest,
      id: this.#parts.nextConnectionId(),
      path: new PeerPath(remote.ip, remote.port),
      socket: this.socket,
      transport: this.#transport,
      clock,
      loop,
      timers,
      counters,
      seed,
      nowMs: clock.monotonicMs(),
      onEstablished: () => {
        this.#forgetFirstId(connection);
        return options.onEstablished();
      },
      onGone: (closePacket) => this.#onGone(connection, closePacket),
    });
    const w0 = wordAt(connectionId, 0);
    const w1 = wordAt(connectionId, 4);
    const firstKey = firstId === null ? null : firstIdKey(firstId, remote.ip, remote.port);
    this.#byId.set(connection, w0, w1);
    if (firstKey !== null) this.#byFirstId.set(firstKey, connection);
    this.#entries.set(connection, { w0, w1, firstKey });
    return connection;
  }

  /** Closes every connection, waits until each has said so, and frees the socket. */
  async close(reason: string): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#entries.keys()) connection.close(0, reason);
    if (this.#entries.size > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
    for (const closed of this.#closed) this.#parts.timers.remove(closed);
    this.#closed.clear();
    await this.#socket?.close();
  }

  #onPacket(packet: Uint8Array, remote: RemoteInfo, late: boolean): void {
    if (packet.length < minShortPacketBytes || !hasFixedBit(packet)) {
      this.#parts.counters.strayPackets += 1;
      return;
    }
    const nowMs = this.#parts.clock.monotonicMs();
    if (isLongHeader(packet)) {
      this.#onLongHeader(packet, remote, nowMs);
      return;
    }
    const target = this.#byId.get(wordAt(packet, 1), wordAt(packet, 5));
    if (target !== undefined) {
      target.onPacket(packet, remote, nowMs, late);
      return;
    }
    this.#parts.counters.strayPackets += 1;
    this.#strays.onUnknownConnection(packet, remote);
  }

  #onLongHeader(packet: Uint8Array, remote: RemoteInfo, nowMs: number): void {
    const header = parseLongHeader(packet);
    if (header !== null) {
      const { destinationId } = header;
      const own =
        destinationId.length === ownIdBytes ? this.#byId.get(wordAt(packet, 6), wordAt(packet, 10)) : undefined;
      const target = own ?? this.#byFirstId.get(firstIdKey(destinationId, remote.address, remote.port));
      if (target !== undefined) {
        target.onPacket(packet, remote, nowMs);
        return;
      }
      if (this.#strays.onLongHeader(packet, header, remote, nowMs)) return;
    }
    this.#parts.counters.strayPackets += 1;
  }

  #forgetFirstId(connection: QuicheConnection): void {
    const firstKey = this.#entries.get(connection)?.firstKey;
    if (typeof firstKey === 'string') this.#byFirstId.delete(firstKey);
  }

  #onGone(connection: QuicheConnection, closePacket: Uint8Array | null): void {
    const entry = this.#entries.get(connection);
    if (entry === undefined) return;
    this.#forgetFirstId(connection);
    this.#entries.delete(connection);
    const { w0, w1 } = entry;
    const closed = new ClosedConnection(this.socket, closePacket, () => {
      this.#byId.delete(w0, w1);
      this.#closed.delete(closed);
    });
    this.#byId.set(closed, w0, w1);
    this.#closed.add(closed);
    this.#parts.garbage.onClosed();
    this.#parts.timers.set(closed, this.#parts.clock.monotonicMs() + ClosedConnection.lingerMs);
    if (this.#entries.size > 0) return;
    for (const resolve of this.#whenEmpty) this.#parts.loop.later(resolve);
    this.#whenEmpty = [];
  }
}

/** Rare packets only, so a string is good enough. */
function firstIdKey(id: Uint8Array, ip: string, port: number): string {
  return `${Buffer.from(id.buffer, id.byteOffset, id.length).toString('latin1')} ${ip} ${port}`;
}
