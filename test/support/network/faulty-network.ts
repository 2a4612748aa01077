import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { SocketAddress } from '../../../src/quic/types.ts';
import { DelayLine } from './delay-line.ts';
import { faultless, FaultyPath, type Faults, type PathCounts } from './faulty-path.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';

export interface FaultyNetworkOptions {
  /** Where packets of clients go. */
  readonly target: SocketAddress;
  readonly seed?: number;
  /** In force in both directions from the start. */
  readonly faults?: Partial<Faults>;
  /** The address that the n-th client appears to come from; 127.0.0.1 unless told otherwise. */
  readonly sourceIp?: (client: number) => string;
  /** Packets of the n-th client pass as on a path without faults. */
  readonly isSpared?: (client: number) => boolean;
}

export type PathDirection = 'up' | 'down' | 'both';

/** A client as the network sees it: where it is, and the socket that the target sees instead of it. */
interface Flow {
  readonly client: RemoteInfo;
  upstream: Socket;
  ip: string;
  readonly isSpared: boolean;
}

/** Enough for every packet that is under way at 100 ms of delay. */
const socketBufferBytes = 4 * 1024 * 1024;
const shortestDelayMs = 0.5;
const clock = new SystemClock();

/**
 * A UDP proxy with faults, which clients dial in place of the relay. Each client has a socket of its own towards the
 * target, as behind a NAT. Everything can be switched while packets are under way. The faults are decided from the
 * seed; what arrives first is the kernel's choice, as in any network.
 */
export class FaultyNetwork {
  /** What clients dial. */
  readonly address: SocketAddress;
  readonly #front: Socket;
  readonly #target: SocketAddress;
  readonly #sourceIp: (client: number) => string;
  readonly #flows = new Map<string, Flow>();
  readonly #isSpared: (client: number) => boolean;
  readonly #underWay = new DelayLine(clock);
  readonly #up: FaultyPath;
  readonly #down: FaultyPath;
  #closed = false;

  private constructor(front: Socket, options: FaultyNetworkOptions) {
    const { seed = 1, faults = {}, sourceIp = () => loopbackOf(options.target.ip), isSpared = () => false } = options;
    const { address, port } = front.address();
    this.address = { ip: address, port };
    this.#front = front;
    this.#target = options.target;
    this.#sourceIp = sourceIp;
    this.#isSpared = isSpared;
    this.#up = new FaultyPath(new SeededRandom(seed), { ...faultless, ...faults });
    this.#down = new FaultyPath(new SeededRandom(seed + 0x5eed), { ...faultless, ...faults });
    front.on('message', (packet, client) => this.#fromClient(packet, client));
  }

  static async start(options: FaultyNetworkOptions): Promise<FaultyNetwork> {
    const front = await openSocket(loopbackOf(options.target.ip));
    return new FaultyNetwork(front, options);
  }

  /** What happened on the way to the target. */
  get up(): PathCounts {
    return this.#up.counts;
  }

  /** What happened on the way to the clients. */
  get down(): PathCounts {
    return this.#down.counts;
  }

  get clients(): number {
    return this.#flows.size;
  }

  /** Changes the named faults and leaves the others; packets that are under way keep their fate. */
  set(faults: Partial<Faults>, direction: PathDirection = 'both'): void {
    if (direction !== 'down') this.#up.faults = { ...this.#up.faults, ...faults };
    if (direction !== 'up') this.#down.faults = { ...this.#down.faults, ...faults };
  }

  partition(direction: PathDirection = 'both'): void {
    this.set({ partitioned: true }, direction);
  }

  heal(direction: PathDirection = 'both'): void {
    this.set({ partitioned: false }, direction);
  }

  /**
   * Gives clients a new address towards the target, as a NAT does that has forgotten them; what is sent to the old one
   * is lost. `which` chooses by order of appearance; `ip` moves them to another address too.
   */
  async rebind(which: (client: number) => boolean = () => true, ip?: string): Promise<void> {
    const chosen = [...this.#flows.values()].filter((_, client) => which(client));
    await Promise.all(
      chosen.map(async (flow) => {
        const upstream = await openSocket(ip ?? flow.ip);
        if (this.#closed) {
          upstream.close();
          return;
        }
        flow.upstream.close();
        flow.ip = ip ?? flow.ip;
        this.#attach(flow, upstream);
      }),
    );
  }

  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#underWay.stop();
    const sockets = [this.#front, ...[...this.#flows.values()].map((flow) => flow.upstream)];
    await Promise.all(sockets.map((socket) => closeSocket(socket)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #fromClient(packet: Buffer, client: RemoteInfo): void {
    const key = `${client.address}|${client.port}`;
    const flow = this.#flows.get(key);
    if (flow !== undefined) {
      this.#forward(flow, this.#up, packet.length, () => send(flow.upstream, packet, this.#target));
      return;
    }
    const ip = this.#sourceIp(this.#flows.size);
    const upstream = newSocket(ip);
    const created: Flow = { client, upstream, ip, isSpared: this.#isSpared(this.#flows.size) };
    this.#flows.set(key, created);
    // Sends wait in the socket until it is bound.
    upstream.bind({ address: ip, port: 0 });
    this.#attach(created, upstream);
    this.#forward(created, this.#up, packet.length, () => send(created.upstream, packet, this.#target));
  }

  #attach(flow: Flow, upstream: Socket): void {
    flow.upstream = upstream;
    upstream.on('message', (packet) => {
      this.#forward(flow, this.#down, packet.length, () =>
        send(this.#front, packet, { ip: flow.client.address, port: flow.client.port }),
      );
    });
    // A refused port shows as an error on the next call: the target is not there, and packets to it are lost.
    upstream.on('error', () => {});
  }

  #forward(flow: Flow, path: FaultyPath, length: number, deliver: () => void): void {
    const nowMs = clock.monotonicMs();
    const arrivals = flow.isSpared ? [nowMs] : path.arrivals(nowMs, length);
    for (const atMs of arrivals) {
      // A delay that no timer can keep is none.
      if (atMs - nowMs < shortestDelayMs) deliver();
      else this.#underWay.add(atMs, deliver);
    }
  }
}

function loopbackOf(ip: string): string {
  return isIPv6(ip) ? '::1' : '127.0.0.1';
}

function newSocket(ip: string): Socket {
  return createSocket({
    type: isIPv6(ip) ? 'udp6' : 'udp4',
    recvBufferSize: socketBufferBytes,
    sendBufferSize: socketBufferBytes,
    lookup: (host, _options, callback) => callback(null, host, isIPv6(host) ? 6 : 4),
  });
}

async function openSocket(ip: string): Promise<Socket> {
  const socket = newSocket(ip);
  // The look-up above answers at once, so the socket may be bound before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind({ address: ip, port: 0 });
  await listening;
  return socket;
}

/** The kernel's refusal is a lost packet; a socket that was closed meanwhile too. */
function send(socket: Socket, packet: Buffer, to: SocketAddress): void {
  try {
    socket.send(packet, to.port, to.ip, () => {});
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SOCKET_DGRAM_NOT_RUNNING')) throw error;
  }
}

async function closeSocket(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}
