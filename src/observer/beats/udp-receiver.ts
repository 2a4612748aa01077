import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { addressUnavailable } from '../../lib/address-unavailable.ts';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { Random } from '../../lib/random.ts';
import type { Intake } from '../slots/intake.ts';
import type { BeatOrigin } from '../slots/observer-event.ts';
import type { BeatOpener } from './beat-opener.ts';
import type { ObserverTime } from './observer-time.ts';
import type { EventSink, Receiver } from './receiver.ts';

export interface UdpReceiverDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly time: ObserverTime;
  readonly intake: Intake;
  /** Takes in what the other receivers hold, so that events stay in the order of their times. */
  readonly beforeDatagram: () => void;
  readonly sink: EventSink;
  /** Null for plaintext. */
  readonly opener: BeatOpener | null;
}

export interface UdpReceiverSettings {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  readonly origin: BeatOrigin;
}

const receiveBufferBytes = 1 << 20;
const markerBytes = 20;
const markerRetryMs = 1;
const markerPatience = 20;
/** So many times in a row the system refused a marker: the socket's address is gone, and no beat comes there. */
const markerRefusals = 10;

/** Beats over UDP. Everything is taken in as it arrives, so there is nothing to drain. */
export class UdpReceiver implements Receiver {
  readonly lost = 0;
  readonly lagNs = 0;
  readonly fullQueues = 0;
  readonly #dependencies: UdpReceiverDependencies;
  readonly #settings: UdpReceiverSettings;
  readonly #socket: Socket;
  readonly #token: Uint8Array;
  #markerSeen = false;
  #markersRefused = 0;
  #stopping = false;

  private constructor(dependencies: UdpReceiverDependencies, settings: UdpReceiverSettings, socket: Socket) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#socket = socket;
    this.#token = dependencies.random.bytes(markerBytes);
    socket.on('message', (data, sender) => this.#take(data, sender));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
  }

  /** Rejects with AppError `unavailable` when the port cannot be bound. */
  static async bind(dependencies: UdpReceiverDependencies, settings: UdpReceiverSettings): Promise<UdpReceiver> {
    const { host, port } = settings;
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (cause) => {
        const attempt = `cannot listen for beats on UDP ${formatHostPort({ host, port })}`;
        reject(addressUnavailable(attempt, cause, 'unavailable'));
      });
      socket.bind(port, host, resolve);
    });
    socket.removeAllListeners('error');
    return new UdpReceiver(dependencies, settings, socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  drain(): boolean {
    return true;
  }

  /**
   * A marker of our own through the socket shows that everything before it was taken in. A socket that cannot have one
   * holds up no other: its agents are silent, too.
   */
  async takenIn(): Promise<void> {
    this.#markerSeen = false;
    this.#markersRefused = 0;
    this.#token.set(this.#dependencies.random.bytes(markerBytes));
    for (let turns = 0; !this.#stopping; turns += 1) {
      if (turns % markerPatience === 0 || this.#markersRefused > 0) this.#sendMarker();
      await new Promise<void>((resolve) => void this.#dependencies.clock.setTimeout(resolve, markerRetryMs));
      if (this.#seen() || this.#markersRefused >= markerRefusals) return;
    }
    throw new AppError('closed', 'the observer is stopping');
  }

  stop(): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    this.#stopping = true;
    return new Promise((resolve) => void this.#socket.close(() => resolve()));
  }

  #sendMarker(): void {
    this.#socket.send(this.#token, this.port, this.#ownHost(), (error) => {
      this.#markersRefused = error === null ? 0 : this.#markersRefused + 1;
    });
  }

  #seen(): boolean {
    return this.#markerSeen;
  }

  #ownHost(): string {
    const { host } = this.#settings;
    if (host === '0.0.0.0') return '127.0.0.1';
    return host === '::' ? '::1' : host;
  }

  #take(data: Buffer, sender: RemoteInfo): void {
    const { intake, sink, opener, time, beforeDatagram } = this.#dependencies;
    if (data.length === markerBytes && this.#token.every((byte, index) => data[index] === byte)) {
      this.#markerSeen = true;
      return;
    }
    beforeDatagram();
    const nowNs = time.nowNs();
    const frame = opener === null ? data : opener.open(data, `${sender.address} ${sender.port}`, nowNs);
    if (frame === null) return;
    const event = intake.takeUdp(frame, this.#settings.origin, nowNs);
    if (event !== null) sink(event);
  }

  #fail(error: NodeJS.ErrnoException): void {
    const { intake, sink, time } = this.#dependencies;
    const problem = {
      kind: 'Other' as const,
      errno: error.errno === undefined ? null : -error.errno,
      message: error.message,
    };
    sink(intake.fail(problem, time.nowNs()));
  }
}
