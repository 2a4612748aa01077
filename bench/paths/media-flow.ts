import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { SocketAddress } from '../../src/quic/types.ts';
import { ascending, quantile } from '../statistics.ts';
import type { MediaRate } from './cells.ts';

/** What came of a flow at the place where it was to arrive. */
export interface FlowOutcome {
  readonly sent: number;
  /** Different datagrams that arrived. */
  readonly delivered: number;
  /** From the call to send until it was read, in milliseconds; NaN when nothing arrived. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface MediaFlowOptions {
  /** Where the media goes in. */
  readonly to: SocketAddress;
  /** Where it is to arrive. */
  readonly sink: MediaSink;
  readonly bytes: number;
  readonly rate: MediaRate;
}

const headerBytes = 12;
const tickMs = 1;
/** What has not arrived this long after the last one was sent is lost, whatever the path. */
const drainMs = 1500;
const bufferBytes = 4 * 1024 * 1024;

/** Where the datagrams of one flow at a time arrive. */
export class MediaSink implements AsyncDisposable {
  readonly address: SocketAddress;
  readonly #socket: Socket;
  #sentMs = new Float64Array(0);
  #delaysMs = new Float64Array(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.address = { ip: address, port };
    socket.on('message', (datagram) => this.#onDatagram(datagram));
    socket.on('error', () => undefined);
  }

  static async open(port = 0): Promise<MediaSink> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes });
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return new MediaSink(socket);
  }

  /** Forgets what came before. */
  begin(most: number): void {
    this.#sentMs = new Float64Array(most);
    this.#delaysMs = new Float64Array(most).fill(NaN);
  }

  noteSent(sequence: number, nowMs: number): void {
    this.#sentMs[sequence] = nowMs;
  }

  outcome(sent: number): FlowOutcome {
    const delays = ascending(this.#delaysMs.filter((delay) => !Number.isNaN(delay)));
    return { sent, delivered: delays.length, p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #onDatagram(datagram: Buffer): void {
    if (datagram.length < headerBytes) return;
    const sequence = datagram.readUInt32BE(0);
    // Of an earlier flow, or here already.
    if (datagram.readDoubleBE(4) !== this.#sentMs[sequence] || !Number.isNaN(this.#delaysMs[sequence])) return;
    this.#delaysMs[sequence] = performance.now() - (this.#sentMs[sequence] ?? NaN);
  }
}

/** Sends at an even pace for as long as the rate says, waits for the rest, and says what arrived. */
export async function runMediaFlow({ to, sink, bytes, rate }: MediaFlowOptions): Promise<FlowOutcome> {
  const socket = createSocket({
    type: 'udp4',
    sendBufferSize: bufferBytes,
    lookup: (host, _options, callback) => callback(null, host, 4),
  });
  const total = rate.perSecond * rate.seconds;
  sink.begin(total);
  const datagram = Buffer.alloc(bytes, 0x47);
  const startMs = performance.now();
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startMs) * rate.perSecond) / 1000));
    for (; sent < due; sent++) {
      const nowMs = performance.now();
      const packet = Buffer.from(datagram);
      packet.writeUInt32BE(sent, 0);
      packet.writeDoubleBE(nowMs, 4);
      sink.noteSent(sent, nowMs);
      socket.send(packet, to.port, to.ip, () => undefined);
    }
    await pause(tickMs);
  }
  await pause(drainMs);
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return sink.outcome(total);
}

export async function pause(durationMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, durationMs));
}
