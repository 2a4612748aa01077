import { createSocket, type Socket } from 'node:dgram';
import { encodeRtp, mpegTsPayloadType } from '../../../src/media/rtp/rtp-packet.ts';
import { numberedTs } from '../media/numbered-ts.ts';
import type { LocalUdpSocket } from './local-udp.ts';

const packetBytes = 188;
const chunkPackets = 7;
const periodMs = 4;
/** More than is on its way with a latency of 300 ms, and less than the smallest socket buffer of Linux holds. */
const mostAheadPackets = 80 * chunkPackets;

/** Where a source sends, and how. */
export interface TsTarget {
  readonly port: number;
  readonly rtp?: boolean;
  /** Chunks that this target does not get. */
  readonly loses?: (chunk: number) => boolean;
}

/** A device that sends a numbered transport stream, 7 packets every 4 ms (2.6 Mbit/s), to one target or several. */
export class TsSource implements Disposable {
  readonly #socket: Socket = createSocket('udp4');
  readonly #targets: readonly TsTarget[];
  readonly #timer: NodeJS.Timeout;
  /** The packets that are on their way to the sinks of `follow`. */
  #ahead: () => number = () => 0;
  chunks = 0;

  constructor(...targets: readonly TsTarget[]) {
    this.#targets = targets;
    this.#socket.unref();
    // Nobody listens there for a while in some tests.
    this.#socket.on('error', () => {});
    this.#timer = setInterval(() => {
      if (this.#ahead() < mostAheadPackets) this.#send();
    }, periodMs);
  }

  /**
   * Waits for each of `sinks` from now on, so that no socket in between overflows on a slow machine. For streams that
   * must arrive whole: what is lost is never made up for.
   */
  follow(...sinks: readonly LocalUdpSocket[]): void {
    const starts = sinks.map((sink) => ({ sink, bytes: sink.receivedBytes, packets: this.packets }));
    this.#ahead = () =>
      Math.max(
        ...starts.map(({ sink, bytes, packets }) => {
          return this.packets - packets - Math.floor((sink.receivedBytes - bytes) / packetBytes);
        }),
      );
  }

  /** Packets sent so far. */
  get packets(): number {
    return this.chunks * chunkPackets;
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    this.pause();
    this.#socket.close();
  }

  #send(): void {
    const chunk = this.chunks++;
    const bytes = numberedTs(chunk * chunkPackets, chunkPackets);
    const head = { payloadType: mpegTsPayloadType, sequence: chunk & 0xffff, timestamp: chunk * 360, ssrc: 7 };
    for (const { port, rtp = false, loses } of this.#targets) {
      if (loses?.(chunk) !== true) this.#socket.send(rtp ? encodeRtp(head, bytes) : bytes, port, '127.0.0.1');
    }
  }
}
