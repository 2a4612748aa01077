import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { addressUnavailable } from '../../lib/address-unavailable.ts';
import type { Clock } from '../../lib/clock.ts';
import { FreshIntake } from '../../lib/fresh-intake.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import type { StallWatch } from '../../lib/stall-watch.ts';
import type { SocketAddress } from '../types.ts';
import type { MutableCounters } from './counters.ts';

export interface UdpSocketOptions {
  readonly address: SocketAddress;
  readonly bufferBytes: number;
  /** Largest UDP payload that will be sent; the length of each slot's bytes. */
  readonly maxPayload: number;
  /** What waited longer in the socket is late. */
  readonly maxAgeMs: number;
}

export interface UdpSocketHandler {
  /** `packet` is the receiver's to change. `late`: it waited in the socket for longer than datagrams may. */
  onPacket(packet: Uint8Array, remote: RemoteInfo, late: boolean): void;
  onFailed(error: Error): void;
}

export interface UdpSocketDependencies {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly stalls: StallWatch;
  readonly counters: MutableCounters;
}

/** A buffer for one outgoing packet. It belongs to its taker, until it is sent or released. */
export interface SendSlot {
  readonly bytes: Uint8Array;
  /** The first `length` bytes. */
  view(length: number): Uint8Array;
  readonly sent: (error: Error | null) => void;
}

/** Packets that the kernel has not taken yet, at most: past it the connections keep their data and try again. */
const maxSlots = 2048;

/** Packets that libuv reads from one socket in one turn, at most. */
const readBatch = 32;

/** Receive errors without a packet in between after which the socket counts as broken. */
const maxErrorsInARow = 100;

/** The same for each packet, so that nothing but the view is made anew. */
class Slot implements SendSlot {
  readonly bytes: Uint8Array;
  readonly sent: (error: Error | null) => void;
  #view: Uint8Array;

  constructor(maxPayload: number, sent: (slot: Slot, error: Error | null) => void) {
    this.bytes = Buffer.allocUnsafeSlow(maxPayload);
    this.#view = this.bytes;
    this.sent = (error) => sent(this, error);
  }

  /** The same length tends to come again, so the view of the last one is kept. */
  view(length: number): Uint8Array {
    if (this.#view.length !== length) this.#view = this.bytes.subarray(0, length);
    return this.#view;
  }
}

/**
 * One UDP socket. Sending never waits and never throws: what the kernel refuses is counted, as a network that loses
 * packets would.
 */
export class UdpSocket {
  readonly address: SocketAddress;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  readonly #socket: Socket;
  readonly #counters: MutableCounters;
  readonly #maxPayload: number;
  readonly #free: SendSlot[] = [];
  readonly #watching: Disposable;
  #slots = 0;
  #errorsInARow = 0;
  #closed = false;

  private constructor(
    socket: Socket,
    options: UdpSocketOptions,
    handler: UdpSocketHandler,
    { clock, counters, stalls }: UdpSocketDependencies,
  ) {
    this.#socket = socket;
    this.#counters = counters;
    this.#watching = stalls.use();
    const intake = new FreshIntake<readonly [Uint8Array, RemoteInfo]>(
      { maxAgeMs: options.maxAgeMs, behindMs: 2 * options.maxAgeMs, batch: readBatch },
      {
        ...{ clock, stalls, afterReads: setImmediate },
        onFresh: ([packet, remote]) => handler.onPacket(packet, remote, false),
        onLate: ([packet, remote]) => handler.onPacket(packet, remote, true),
      },
    );
    this.#maxPayload = options.maxPayload;
    const bound = socket.address();
    this.address = { ip: bound.address, port: bound.port };
    this.receiveBufferBytes = socket.getRecvBufferSize();
    this.sendBufferBytes = socket.getSendBufferSize();
    socket.on('message', (packet, remote) => {
      this.#errorsInARow = 0;
      // Only forgers send from port 0, and Node throws when it is to answer there.
      if (remote.port === 0) return;
      counters.packetsReceived += 1;
      counters.bytesReceived += packet.length;
      intake.take([packet, remote]);
    });
    socket.on('error', (error) => {
      this.#errorsInARow += 1;
      if (this.#errorsInARow === maxErrorsInARow) handler.onFailed(error);
    });
  }

  /** Rejects with AppError `address-unavailable`. */
  static async bind(
    options: UdpSocketOptions,
    handler: UdpSocketHandler,
    dependencies: UdpSocketDependencies,
  ): Promise<UdpSocket> {
    const { ip, port } = options.address;
    const family = isIPv6(ip) ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      // Every address is a literal already; Node's own look-up would cost each packet a turn of the event loop.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind({ port, address: ip, exclusive: true }, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      setBuffers(socket, options.bufferBytes);
      return new UdpSocket(socket, options, handler, dependencies);
    } catch (error) {
      socket.close();
      throw addressUnavailable(`cannot listen on UDP ${formatSocketAddress(options.address)}`, error);
    }
  }

  /** Null when the kernel takes packets too slowly: send later. */
  take(): SendSlot | null {
    const slot = this.#free.pop();
    if (slot !== undefined) return slot;
    if (this.#slots >= maxSlots) return null;
    this.#slots += 1;
    return new Slot(this.#maxPayload, (sent, error) => this.#onSent(sent, error));
  }

  release(slot: SendSlot): void {
    this.#free.push(slot);
  }

  /** Sends the first `length` bytes of the slot, which is then the socket's again. */
  send(slot: SendSlot, length: number, ip: string, port: number): void {
    if (this.#closed) {
      this.release(slot);
      return;
    }
    this.#counters.packetsSent += 1;
    this.#counters.bytesSent += length;
    this.#socket.send(slot.view(length), port, ip, slot.sent);
  }

  /** For packets that are not a connection's; dropped when the socket is busy. */
  sendCopy(packet: Uint8Array, ip: string, port: number): void {
    const slot = this.take();
    if (slot === null) return;
    slot.bytes.set(packet);
    this.send(slot, packet.length, ip, port);
  }

  /** Resolves once what was sent has left and the descriptor is free. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watching[Symbol.dispose]();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #onSent(slot: Slot, error: Error | null): void {
    if (error !== null) this.#counters.sendErrors += 1;
    this.#free.push(slot);
  }
}

/** The kernel caps what it grants (net.core.rmem_max) without an error; other failures leave the default in place. */
function setBuffers(socket: Socket, bytes: number): void {
  socket.setRecvBufferSize(bytes);
  socket.setSendBufferSize(bytes);
}
