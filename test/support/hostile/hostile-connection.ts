import quiche from '@matrixai/quic/native/quiche.js';
import type { Connection } from '@matrixai/quic/native/types.js';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../../../src/quic/types.ts';
import { patienceMs, until } from '../until.ts';
import { attempt } from './attempt.ts';
import { hostileConfig, type HostileOptions } from './hostile-config.ts';
import { HostileStreams } from './hostile-streams.ts';

/** For quiche the path never changes: what moves is our socket. */
const here = { host: '::1', port: 1 };
const there = { host: '::1', port: 2 };
const recvInfo = { from: there, to: here };

/**
 * A raw QUIC client: everything that the library can say, at any time and in any order, with every packet open to
 * change on its way. It never throws for what the relay does to it; what the relay said is there to read.
 */
export class HostileConnection implements AsyncDisposable {
  readonly native: Connection;
  readonly streams: HostileStreams;
  readonly datagrams: Buffer[] = [];
  /** False: nothing is read, neither streams nor datagrams, so the relay's windows fill up. */
  reading = true;
  outgoing: (packet: Buffer) => readonly Uint8Array[];
  incoming: (packet: Buffer) => boolean;
  packetsReceived = 0;
  bytesReceived = 0;
  #socket: Socket;
  readonly #remote: SocketAddress;
  readonly #scratch = Buffer.alloc(65_536);
  readonly #packetBytes: number;
  #timer: NodeJS.Timeout | null = null;
  #silent = false;
  #disposed = false;

  private constructor(socket: Socket, native: Connection, options: HostileOptions) {
    this.native = native;
    this.streams = new HostileStreams(native);
    this.#socket = socket;
    this.#remote = options.remote;
    this.#packetBytes = options.maxUdpPayload ?? 1350;
    this.outgoing = options.outgoing ?? ((packet) => [packet]);
    this.incoming = options.incoming ?? (() => true);
    this.#listen(socket);
  }

  /** Sends the first packet and returns; `established` waits for the handshake. */
  static async start(options: HostileOptions): Promise<HostileConnection> {
    const socket = await openSocket(options.localIp ?? (isIPv6(options.remote.ip) ? '::1' : '127.0.0.1'));
    const native = quiche.Connection.connect('relay', randomBytes(16), here, there, hostileConfig(options));
    if (options.keylogPath !== undefined) native.setKeylog(options.keylogPath);
    const connection = new HostileConnection(socket, native, options);
    connection.flush();
    return connection;
  }

  /** `start`, and the handshake. Rejects when the relay does not want us. */
  static async connect(options: HostileOptions): Promise<HostileConnection> {
    const connection = await HostileConnection.start(options);
    try {
      await connection.established();
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  get localPort(): number {
    return this.#socket.address().port;
  }

  get isClosed(): boolean {
    return this.native.isClosed() || this.native.isDraining();
  }

  /** Why the relay closed the connection, if it did and said so. */
  get closeReason(): { readonly code: number; readonly reason: string; readonly application: boolean } | null {
    const error = this.native.peerError();
    if (error === null) return null;
    return { code: error.errorCode, reason: Buffer.from(error.reason).toString(), application: error.isApp };
  }

  async established(timeoutMs = patienceMs): Promise<void> {
    await until(() => this.native.isEstablished() || this.isClosed, { timeoutMs, what: 'the handshake' });
    if (!this.native.isEstablished()) throw new Error(`refused: ${this.closeReason?.reason ?? 'no reason'}`);
  }

  /** Waits until the handshake is over and the relay has had time to take it back. */
  async outcome(): Promise<'open' | 'refused'> {
    await until(() => this.native.isEstablished() || this.isClosed, { what: 'the handshake' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    return this.isClosed ? 'refused' : 'open';
  }

  /** Waits until the relay has closed the connection, and returns its words ('' when it sent none). */
  async closedByRelay(timeoutMs = patienceMs): Promise<string> {
    await until(() => this.isClosed, { timeoutMs, what: 'the relay closing the connection' });
    return this.closeReason?.reason ?? '';
  }

  /** Sends as far as the relay's windows allow, the rest as they open. */
  write(id: number, bytes: Uint8Array, fin = false): void {
    this.streams.queue(id, bytes, fin);
    this.flush();
  }

  reset(id: number, code: number): void {
    this.streams.reset(id, code);
    this.flush();
  }

  stop(id: number, code: number): void {
    this.streams.stop(id, code);
    this.flush();
  }

  /** False when quiche did not take it: too large for the relay, or our own queue is full. */
  sendDatagram(bytes: Uint8Array): boolean {
    let taken = true;
    attempt(
      () => this.native.dgramSend(bytes),
      () => {
        taken = false;
      },
    );
    this.flush();
    return taken;
  }

  /** Sends any packet from our socket, past the library. */
  sendPacket(packet: Uint8Array): void {
    if (!this.#silent) this.#socket.send(packet, this.#remote.port, this.#remote.ip, () => {});
  }

  /** Moves to a new port (and address), as behind a NAT that forgot us. */
  async rebind(localIp?: string): Promise<void> {
    const old = this.#socket;
    const next = await openSocket(localIp ?? old.address().address);
    this.#socket = next;
    this.#listen(next);
    old.close();
    this.flush();
  }

  /** Sends and receives nothing more, without a close. */
  vanish(): void {
    this.#silent = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  close(code = 0, reason = ''): void {
    attempt(() => this.native.close(true, code, Buffer.from(reason)));
    this.flush();
  }

  /** Takes what has arrived; done by itself while `reading`. */
  read(): void {
    this.streams.readAll();
    for (;;) {
      const length = attempt(() => this.native.dgramRecv(this.#scratch));
      if (length === undefined || length === null) break;
      this.datagrams.push(Buffer.from(this.#scratch.subarray(0, length)));
    }
  }

  flush(): void {
    if (this.#silent) return;
    this.streams.writeAll();
    for (;;) {
      const sent = attempt(() => this.native.send(this.#scratch.subarray(0, this.#packetBytes)));
      if (sent === undefined || sent === null) break;
      for (const packet of this.outgoing(Buffer.from(this.#scratch.subarray(0, sent[0])))) this.sendPacket(packet);
    }
    this.#arm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.isClosed) this.close();
    this.vanish();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #listen(socket: Socket): void {
    socket.on('message', (packet) => {
      if (this.#silent || !this.incoming(packet)) return;
      this.packetsReceived += 1;
      this.bytesReceived += packet.length;
      attempt(() => this.native.recv(packet, recvInfo));
      if (this.reading) this.read();
      this.flush();
    });
    // A relay that is gone refuses packets; that is for its tests to notice.
    socket.on('error', () => {});
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const delayMs = this.native.timeout();
    if (delayMs === null) return;
    this.#timer = setTimeout(() => {
      this.native.onTimeout();
      this.flush();
    }, delayMs);
  }
}

async function openSocket(ip: string): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(ip) ? 'udp6' : 'udp4',
    recvBufferSize: 2 * 1024 * 1024,
    sendBufferSize: 2 * 1024 * 1024,
    lookup: (host, _options, callback) => callback(null, host, isIPv6(host) ? 6 : 4),
  });
  // The look-up above answers at once, so the socket may be bound before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind({ address: ip, port: 0 });
  await listening;
  return socket;
}
