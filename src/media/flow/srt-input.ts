import { AlignedMerge } from '../merge/aligned-merge.ts';
import { LegWatch, type LegAlarm } from '../merge/leg-watch.ts';
import { RtpMerge } from '../merge/rtp-merge.ts';
import type { CloseReason } from '../srt/srt-connection.ts';
import type { Chunk } from './chunk.ts';
import type { FlowInput, FlowInputDependencies } from './flow-part.ts';
import type { InputSettings, SrtLegSettings } from './flow-settings.ts';
import type { InputStats } from './flow-stats.ts';
import type { Pulsed } from './pulse.ts';
import { RateMeter } from './rate-meter.ts';
import { createReportingLeg } from './reporting-leg.ts';
import type { SrtLeg, SrtLegLimits } from './srt-leg.ts';
import { srtStatsOf } from './srt-stats.ts';
import { tsPayloadOf } from './ts-payload.ts';

type SrtInputSettings = Extract<InputSettings, { type: 'srt' }>;

/**
 * One caller at a time; a restarted encoder need not wait out the idle timeout of its predecessor. One that is alive
 * and has nothing to send says so every second.
 */
const limits: SrtLegLimits = { maxConnections: 1, takeoverUs: 1_500_000 };
const watchPeriodUs = 250_000;

/** An SRT input: one leg, or two that are merged. */
export class SrtInput implements FlowInput, Pulsed {
  readonly #dependencies: FlowInputDependencies;
  readonly #settings: SrtInputSettings;
  readonly #legs: readonly SrtLeg[];
  readonly #watch = new LegWatch();
  readonly #rtpMerge: RtpMerge<Chunk>;
  readonly #alignedMerge: AlignedMerge;
  readonly #meter = new RateMeter();
  #filtered = 0;
  /** What connections that have ended had given up. */
  #droppedBefore = 0;
  #watchAtUs: number;

  constructor(dependencies: FlowInputDependencies, settings: SrtInputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const { publish, pulse } = dependencies;
    this.#rtpMerge = new RtpMerge(settings.mergeWindowMs * 1000, publish);
    this.#alignedMerge = new AlignedMerge((nowUs, bytes) => publish(nowUs, { bytes, timeUs: nowUs, rtp: null }));
    const { leg, redundancy } = settings;
    this.#legs =
      redundancy === null ? [this.#createLeg(leg, null)] : [this.#createLeg(leg, 1), this.#createLeg(redundancy, 2)];
    this.#watchAtUs = redundancy === null ? Number.POSITIVE_INFINITY : pulse.nowUs + watchPeriodUs;
  }

  get nextUs(): number {
    return Math.min(this.#watchAtUs, this.#rtpMerge.nextUs);
  }

  get patienceMs(): number {
    return Math.min(...this.#legs.map((leg) => leg.patienceMs));
  }

  async start(): Promise<void> {
    await Promise.all(this.#legs.map((leg) => leg.start()));
    if (this.#legs.length > 1) this.#dependencies.pulse.add(this);
  }

  async stop(): Promise<void> {
    this.#dependencies.pulse.remove(this);
    await Promise.all(this.#legs.map((leg) => leg.stop()));
  }

  tick(nowUs: number): void {
    this.#rtpMerge.tick(nowUs);
    if (nowUs < this.#watchAtUs) return;
    this.#watchAtUs = nowUs + watchPeriodUs;
    this.#alarm(this.#watch.check(nowUs));
  }

  stats(): InputStats {
    const { nowUs } = this.#dependencies.pulse;
    const connections = this.#legs.map((leg) => leg.connections[0]);
    const [first, second] = connections;
    const remote = first === undefined ? undefined : this.#legs[0]?.remoteOf(first);
    const merges = [this.#rtpMerge.counters, this.#alignedMerge.counters];
    const sum = (key: 'switches' | 'duplicates' | 'recovered' | 'lost'): number =>
      merges.reduce((total, counters) => total + counters[key], 0);
    const dropped = connections.reduce(
      (total, each) => total + (each?.counters.packetsReceiveDrop ?? 0),
      this.#droppedBefore,
    );
    return {
      input_type: 'srt',
      state: connections.some((each) => each !== undefined) ? 'connected' : this.#waiting(),
      mode: this.#settings.leg.mode,
      local_addr: this.#legs[0]?.localAddress ?? '',
      ...(remote !== undefined && { remote_addr: remote }),
      packets_received: this.#meter.packets,
      bytes_received: this.#meter.bytes,
      bitrate_bps: this.#meter.bitsPerSecond(nowUs),
      packets_lost: this.#legs.length > 1 ? sum('lost') : dropped,
      packets_filtered: this.#filtered,
      redundancy_switches: sum('switches'),
      ...this.#refusals(),
      ...(this.#legs.length > 1 && { duplicates: sum('duplicates'), recovered_by_other_leg: sum('recovered') }),
      ...(this.#legs.length > 1 && { legs: this.#watch.silence(nowUs) }),
      ...(first !== undefined && { srt_stats: srtStatsOf(first, nowUs) }),
      ...(second !== undefined && { srt_leg2_stats: srtStatsOf(second, nowUs) }),
    };
  }

  #refusals(): Pick<InputStats, 'refused' | 'last_problem'> {
    let refused = 0;
    let problem: string | null = null;
    for (const leg of this.#legs) {
      refused += leg.refused;
      problem ??= leg.lastProblem;
    }
    return { refused, ...(problem !== null && { last_problem: problem }) };
  }

  #waiting(): string {
    return this.#settings.leg.mode === 'listener' ? 'listening' : 'connecting';
  }

  #createLeg(settings: SrtLegSettings, leg: 1 | 2 | null): SrtLeg {
    const { report } = this.#dependencies;
    const side = { outputId: null, leg };
    return createReportingLeg(
      this.#dependencies,
      { leg: settings, limits, side },
      {
        deliver: (payload, dueUs) => this.#deliver(payload, dueUs, leg),
        connected: () => {
          if (leg !== null) this.#watch.onConnected(leg);
        },
        disconnected: (connection, remoteAddr, reason) => {
          this.#droppedBefore += connection.counters.packetsReceiveDrop;
          if (leg === null) report({ kind: 'srt-disconnected', ...side, remoteAddr, reason });
          else this.#onLegDisconnected(leg, connection.agreement.receiveLatencyMs, reason);
        },
        lost: (error) => report({ kind: 'input-lost', error }),
      },
    );
  }

  #deliver(payload: Buffer, dueUs: number, leg: 1 | 2 | null): void {
    const { pulse, publish } = this.#dependencies;
    const { nowUs } = pulse;
    const ts = tsPayloadOf(payload);
    if (ts === null) {
      this.#filtered++;
      return;
    }
    this.#meter.add(nowUs, ts.bytes.length);
    const chunk = { bytes: ts.bytes, timeUs: dueUs, rtp: ts.rtp };
    if (leg === null) {
      publish(nowUs, chunk);
      return;
    }
    this.#watch.onData(nowUs, leg);
    if (ts.rtp === null) this.#alignedMerge.push(nowUs, leg, ts.bytes);
    else this.#rtpMerge.push(nowUs, leg, ts.rtp, chunk);
    pulse.poke(this.nextUs);
  }

  #onLegDisconnected(leg: 1 | 2, latencyMs: number, reason: CloseReason): void {
    const { nowUs } = this.#dependencies.pulse;
    this.#rtpMerge.onLegEnded(nowUs, latencyMs * 1000);
    this.#alignedMerge.onDisconnected(nowUs, leg);
    this.#alarm(this.#watch.onDisconnected(nowUs, leg, reason));
  }

  #alarm(alarms: readonly LegAlarm[]): void {
    for (const alarm of alarms) this.#dependencies.report(alarm);
  }
}
