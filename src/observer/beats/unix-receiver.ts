import { once } from 'node:events';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { LoopPulse } from '../../lib/loop-pulse.ts';
import type { Random } from '../../lib/random.ts';
import type { Libc } from '../../posix/libc.ts';
import { connectTo, openDatagramSocket, sendNow } from '../../posix/unix-datagram.ts';
import type { Intake } from '../slots/intake.ts';
import type { BeatSocket } from './beat-socket.ts';
import { DatagramRing, type RingEntry } from './datagram-ring.ts';
import type { ObserverTime } from './observer-time.ts';
import type { ReceiveThreadData } from './receive-thread.ts';
import type { EventSink, Receiver } from './receiver.ts';

export interface UnixReceiverDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly libc: Libc;
  readonly time: ObserverTime;
  readonly intake: Intake;
  readonly sink: EventSink;
  /** Called when something can be drained, at most once a poll interval. Drains. */
  readonly readable: () => void;
  /** The receiving thread has ended by an error. */
  readonly failed: (error: unknown) => void;
  /** The receiving thread ends the process when this loop is stuck. */
  readonly loopPulse: LoopPulse | null;
}

export interface UnixReceiverSettings {
  readonly socket: BeatSocket;
  readonly path: string;
  readonly clockSource: 'monotonic' | 'boottime';
  /** Time between two looks into the ring; asked for each. */
  readonly pollIntervalMs: () => number;
}

const ringCapacity = 32_768;
/** With more than so many at one look, the next comes soon. */
const busyAbove = ringCapacity / 8;
const busyPollMs = 20;
/** One turn of the event loop takes in so many, so that timers and signals get theirs. */
const maxPerDrain = 16_384;
const markerRetryMs = 1;
/** So many retries later the marker counts as lost. */
const markerPatience = 100;
const markerBytes = 20;
/** The receiving thread needs no more; this keeps the memory of an idle observer small. */
const threadLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32, stackSizeMb: 1 };

/** Beats over a UNIX socket: a thread waits in recvmmsg and fills a ring, this side reads it. */
export class UnixReceiver implements Receiver {
  readonly #dependencies: UnixReceiverDependencies;
  readonly #settings: UnixReceiverSettings;
  readonly #ring = new DatagramRing({ capacity: ringCapacity });
  readonly #worker: Worker;
  /** Sends markers to our own socket. */
  readonly #marker: number;
  #reachable = false;
  readonly #token: Uint8Array;
  #markersSeen = 0;
  #markersSent = 0;
  #poll: Timer | null = null;
  /** At the last look so much had come that a long interval might fill the ring. */
  #isBusy = false;
  readonly #taker = (entry: RingEntry): void => this.#take(entry);
  #lagNs = 0;
  #stopping = false;

  private constructor(dependencies: UnixReceiverDependencies, settings: UnixReceiverSettings) {
    const { libc, random, time, failed, loopPulse } = dependencies;
    const marker = openDatagramSocket(libc);
    if (marker === null) throw new AppError('unavailable', `no UNIX socket can be opened (errno ${libc.errno()})`);
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#token = random.bytes(markerBytes);
    this.#marker = marker;
    const { socket, clockSource } = settings;
    const data: ReceiveThreadData = {
      fd: socket.fd,
      memory: this.#ring.memory,
      startNs: time.startNs,
      clockSource,
      fullQueue: socket.queueLength,
      // Without what cannot be copied.
      loopPulse: loopPulse && { turns: loopPulse.turns, limitMs: loopPulse.limitMs },
    };
    this.#worker = new Worker(new URL('./receive-thread.ts', import.meta.url), {
      name: 'beats',
      workerData: data,
      resourceLimits: threadLimits,
    });
    this.#worker.on('error', failed);
    void this.#watch();
  }

  /**
   * Resolves once the socket is bound. The thread receives by then: beats that had to wait for it would all come at one
   * time. Rejects with AppError `unavailable`.
   */
  static async start(dependencies: UnixReceiverDependencies, settings: UnixReceiverSettings): Promise<UnixReceiver> {
    const receiver = new UnixReceiver(dependencies, settings);
    try {
      await once(receiver.#worker, 'message');
      await settings.socket.bind();
      receiver.#connectMarker();
    } catch (error) {
      await receiver.stop();
      throw error;
    }
    return receiver;
  }

  get lost(): number {
    return this.#ring.overflow;
  }

  get fullQueues(): number {
    return this.#ring.fullQueues;
  }

  get lagNs(): number {
    return this.#lagNs;
  }

  drain(): boolean {
    const oldestNs = this.#ring.oldestNs;
    if (oldestNs !== null) this.#lagNs = Math.max(0, this.#dependencies.time.nowNs() - oldestNs);
    const count = this.#ring.drain(maxPerDrain, this.#taker);
    return count < maxPerDrain;
  }

  /** A marker in the socket's queue shows that everything before it was taken in. */
  async takenIn(): Promise<void> {
    const { libc, clock } = this.#dependencies;
    let [wanted, turns] = [0, 0];
    while (!this.#stopping) {
      this.drain();
      if (wanted > 0 && this.#markersSeen >= wanted) return;
      // A full queue takes no marker, and a full ring loses it.
      if (wanted === 0 || turns % markerPatience === 0) {
        wanted = sendNow(libc, this.#marker, this.#nextMarker()) === 0 ? this.#markersSent : 0;
        this.#ring.wakeWriter();
      }
      turns += 1;
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, markerRetryMs));
    }
    throw new AppError('closed', 'the observer is stopping');
  }

  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#poll?.cancel();
    const { libc } = this.#dependencies;
    this.#ring.stop();
    const ended = new Promise<void>((resolve) => void this.#worker.once('exit', () => resolve()));
    // Wakes the thread; a queue that is full has it awake, and before the bind its timeout wakes it.
    if (this.#reachable) sendNow(libc, this.#marker, this.#nextMarker());
    await ended;
    this.drain();
    libc.close(this.#marker);
    await this.#settings.socket.close();
  }

  #connectMarker(): void {
    const { path } = this.#settings;
    const errno = connectTo(this.#dependencies.libc, this.#marker, path);
    if (errno === 0) this.#reachable = true;
    else throw new AppError('unavailable', `the observer cannot reach its own socket ${path} (errno ${errno})`);
  }

  /** Waits for the first datagram after a pause, then looks once an interval: a wake-up costs more than a beat. */
  async #watch(): Promise<void> {
    await this.#ring.readable();
    if (!this.#stopping) this.#pollLater();
  }

  #pollLater(): void {
    const { clock, readable } = this.#dependencies;
    const wantedMs = this.#settings.pollIntervalMs();
    const delayMs = this.#isBusy ? Math.min(busyPollMs, wantedMs) : wantedMs;
    this.#poll = clock.setTimeout(() => {
      const waiting = this.#ring.waiting;
      this.#isBusy = waiting > busyAbove;
      if (waiting === 0) {
        void this.#watch();
        return;
      }
      readable();
      this.#pollLater();
    }, delayMs);
  }

  #nextMarker(): Uint8Array {
    this.#markersSent += 1;
    new DataView(this.#token.buffer).setUint32(0, this.#markersSent >>> 0, true);
    return this.#token;
  }

  #take(entry: RingEntry): void {
    const { intake, sink } = this.#dependencies;
    if (this.#isMarker(entry)) {
      this.#markersSeen = this.#markersSent;
      return;
    }
    const event =
      entry.errno === 0 ? intake.takeUnix(entry) : intake.fail(receiveFailed(entry.errno), entry.receivedNs);
    if (event !== null) sink(event);
  }

  #isMarker({ size, credentials, bytes }: RingEntry): boolean {
    if (size !== markerBytes || credentials?.pid !== process.pid) return false;
    return this.#token.every((byte, index) => bytes[index] === byte);
  }
}

function receiveFailed(errno: number): { readonly kind: 'Other'; readonly errno: number; readonly message: string } {
  return { kind: 'Other', errno, message: `receiving from the socket failed (errno ${errno})` };
}
