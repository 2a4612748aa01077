import type { Clock } from '../lib/clock.ts';
import type { LoopPulse } from '../lib/loop-pulse.ts';
import type { Random } from '../lib/random.ts';
import type { BeatReading } from '../protocol/beat/beat-frame.ts';
import { loadLibc, type Libc } from '../posix/libc.ts';
import { ProcessHandles } from '../posix/process-handles.ts';
import { BeatOpener } from './beats/beat-opener.ts';
import { openBeatSocket } from './beats/beat-socket.ts';
import { boottime, monotonicTime, type ObserverTime } from './beats/observer-time.ts';
import type { EventSink, Receiver } from './beats/receiver.ts';
import { UdpReceiver } from './beats/udp-receiver.ts';
import { UnixReceiver } from './beats/unix-receiver.ts';
import type { ObserverSettings } from './observer-settings.ts';
import { ProcessFacts } from './processes/process-facts.ts';
import { SilenceRunner } from './silence-runner.ts';
import { createCounters, type Counters } from './slots/counters.ts';
import { DropRecord } from './slots/drop-record.ts';
import { Intake, type IntakeSettings } from './slots/intake.ts';
import type { Slot } from './slots/slot.ts';
import { StallWatch } from './slots/stall-watch.ts';
import { Tracker, type TrackerSettings } from './slots/tracker.ts';

export interface BeatWatchDependencies {
  readonly clock: Clock;
  readonly random: Random;
  /** Gets every event, in the order of their times. Must not throw. */
  readonly sink: EventSink;
  /** Whether the sink wants the Beat of an accepted beat: most outputs do not, and a flood of events costs much. */
  readonly wantsBeat: (beat: BeatReading) => boolean;
  /** While this returns false nothing is taken in. */
  readonly hasRoom: () => boolean;
  readonly evicted: (slot: Slot, observerNs: bigint) => void;
  /** Called several times a threshold. */
  readonly looked: () => void;
  /** Receiving has ended by a defect. */
  readonly failed: (error: unknown) => void;
  /** The thread of the UNIX socket ends the process when this loop is stuck; null leaves that to others. */
  readonly loopPulse: LoopPulse | null;
}

/** What is known of one moment, for reports. */
export interface WatchState {
  readonly counters: Counters;
  readonly drops: DropRecord;
  readonly facts: ProcessFacts;
  readonly ownNamespace: bigint | null;
  readonly slots: readonly Slot[];
  readonly nowNs: number;
  readonly receiveBufferBytes: number | null;
  /** Seconds that the latest Stall came after its due time. */
  readonly stallLatenessSeconds: number;
  /** The oldest beat of the last drain had waited for so long. */
  readonly receiveLagSeconds: number;
}

const nsPerMs = 1e6;

/** Receives beats and raises the eight events. */
export class BeatWatch {
  readonly #dependencies: BeatWatchDependencies;
  #settings: ObserverSettings;
  readonly #counters = createCounters();
  readonly #drops = new DropRecord();
  readonly #facts = new ProcessFacts();
  readonly #receivers: Receiver[] = [];
  readonly #ownNamespace = this.#facts.ownNamespace();
  #running: Running | null = null;

  constructor(dependencies: BeatWatchDependencies, settings: ObserverSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Rejects with AppError `unavailable` when a socket cannot be had; nothing needs to be stopped then. */
  async start(): Promise<void> {
    const { socket, clockSource } = this.#settings;
    const libc = socket !== null || clockSource === 'boottime' ? await loadLibc() : null;
    const time = libc !== null && clockSource === 'boottime' ? boottime(libc) : monotonicTime();
    const running = this.#assemble(time, libc);
    this.#running = running;
    try {
      if (libc !== null) await this.#listenLocally(libc, running);
      await this.#listenUdp(running);
    } catch (error) {
      await this.stop();
      throw error;
    }
    running.silence.start();
  }

  /** Takes in what has arrived, as far as there is room. */
  drain(): void {
    if (this.#running === null) return;
    for (const receiver of this.#receivers) {
      while (this.#dependencies.hasRoom() && !receiver.drain());
    }
    this.#running.silence.arm();
  }

  /** Puts everything but sockets, the clock and the poll interval in force. */
  reconfigure(settings: ObserverSettings): void {
    this.#settings = { ...settings, socket: this.#settings.socket, udp: this.#settings.udp };
    const running = this.#running;
    if (running === null) return;
    running.tracker.reconfigure(trackerSettings(settings));
    running.intake.reconfigure(intakeSettings(settings, this.#ownNamespace));
    running.watch.reconfigure(settings.thresholdMs * nsPerMs);
    running.silence.reconfigure(settings.thresholdMs);
    if (settings.udp?.keys !== undefined && settings.udp.keys !== null) running.opener?.reconfigure(settings.udp.keys);
  }

  state(): WatchState {
    const running = this.#running;
    return {
      counters: this.#counters,
      drops: this.#drops,
      facts: this.#facts,
      ownNamespace: this.#ownNamespace,
      slots: running?.tracker.table.slots() ?? [],
      nowNs: running?.time.nowNs() ?? 0,
      receiveBufferBytes: running?.receiveBufferBytes ?? null,
      stallLatenessSeconds: (running?.silence.latenessNs ?? 0) / 1e9,
      receiveLagSeconds: Math.max(0, ...this.#receivers.map(({ lagNs }) => lagNs)) / 1e9,
    };
  }

  /** The port of UDP; null without. */
  get udpPort(): number | null {
    return this.#receivers.find((receiver) => receiver instanceof UdpReceiver)?.port ?? null;
  }

  /** So many beats wait in the UNIX socket at most; null without one. */
  get queueLength(): number | null {
    return this.#running?.queueLength ?? null;
  }

  /** Gives memory that is free back to the kernel, where the C library can do that. */
  trimMemory(): void {
    this.#running?.libc?.trimMemory?.();
  }

  /** Idempotent. What has arrived until then is taken in. */
  async stop(): Promise<void> {
    await this.#running?.silence.stop();
    for (const receiver of this.#receivers.splice(0)) await receiver.stop();
    this.#facts.close();
  }

  #assemble(time: ObserverTime, libc: Libc | null): Running {
    const { clock, sink, evicted, looked, wantsBeat } = this.#dependencies;
    const settings = this.#settings;
    const tracker = new Tracker((pid) => this.#facts.startTimeOf(pid), trackerSettings(settings));
    const intake = new Intake(
      {
        tracker,
        counters: this.#counters,
        drops: this.#drops,
        namespaceOf: (pid, nowNs) => this.#facts.namespaceOf(pid, nowNs),
        pidMax: (nowNs) => this.#facts.pidMax(nowNs),
        evicted,
        wantsBeat,
      },
      intakeSettings(settings, this.#ownNamespace),
    );
    const watch = new StallWatch(() => tracker.table.slots(), settings.thresholdMs * nsPerMs, time.nowNs());
    const silence = new SilenceRunner(
      { clock, time, intake, watch, counters: this.#counters, sink, looked },
      this.#receivers,
      settings.thresholdMs,
    );
    return { libc, time, tracker, intake, watch, silence, opener: null, receiveBufferBytes: null, queueLength: null };
  }

  async #listenLocally(libc: Libc, running: Running): Promise<void> {
    const { socket, clockSource } = this.#settings;
    if (socket === null) return;
    const bound = openBeatSocket(libc, socket);
    this.#facts.useHandles(new ProcessHandles(libc));
    running.queueLength = bound.queueLength;
    running.receiveBufferBytes = bound.receiveBufferBytes;
    const { clock, random, sink, failed, loopPulse } = this.#dependencies;
    const { time, intake } = running;
    this.#receivers.push(
      await UnixReceiver.start(
        { clock, random, libc, time, intake, sink, readable: () => this.drain(), failed, loopPulse },
        {
          socket: bound,
          path: socket.path,
          clockSource,
          pollIntervalMs: () => this.#pollIntervalMs(),
        },
      ),
    );
  }

  /** A beat must be known before its silence is due. */
  #pollIntervalMs(): number {
    const { pollIntervalMs, thresholdMs } = this.#settings;
    return Math.min(pollIntervalMs, thresholdMs / 2);
  }

  async #listenUdp(running: Running): Promise<void> {
    const { udp } = this.#settings;
    if (udp === null) return;
    const { clock, random, sink } = this.#dependencies;
    const { time, intake, silence } = running;
    const opener = udp.keys === null ? null : new BeatOpener(udp.keys, this.#counters);
    running.opener = opener;
    const origin = udp.attested ? 'OperatorAttestedTransport' : 'NetworkUnverified';
    const beforeDatagram = (): void => {
      for (const receiver of this.#receivers) receiver.drain();
    };
    const raise: EventSink = (event) => {
      sink(event);
      silence.arm();
    };
    this.#receivers.push(
      await UdpReceiver.bind(
        { clock, random, time, intake, beforeDatagram, sink: raise, opener },
        { host: udp.host, port: udp.port, origin },
      ),
    );
  }
}

interface Running {
  /** Null where nothing needs it. */
  readonly libc: Libc | null;
  readonly time: ObserverTime;
  readonly tracker: Tracker;
  readonly intake: Intake;
  readonly watch: StallWatch;
  readonly silence: SilenceRunner;
  opener: BeatOpener | null;
  receiveBufferBytes: number | null;
  queueLength: number | null;
}

function trackerSettings(settings: ObserverSettings): TrackerSettings {
  return {
    capacity: settings.capacity,
    evictionPolicy: settings.evictionPolicy,
    scanWindow: settings.evictionScanWindow,
    thresholdNs: settings.thresholdMs * nsPerMs,
    originPolicy: settings.originPolicy,
    minGapNs: settings.maxBeatRate === 0 ? 0 : 1e9 / settings.maxBeatRate,
  };
}

function intakeSettings(settings: ObserverSettings, ownNamespace: bigint | null): IntakeSettings {
  return {
    allowedUids: new Set(settings.allowedUids),
    ownNamespace,
    allowCrossNamespace: settings.allowCrossNamespace,
    globalRate: { ratePerSecond: settings.globalBeatRate, burst: settings.globalBeatBurst },
  };
}
