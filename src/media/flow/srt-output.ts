import { encodeRtp, mpegTsPayloadType, rtpHeaderBytes } from '../rtp/rtp-packet.ts';
import type { Chunk } from './chunk.ts';
import type { FlowOutput } from './flow-part.ts';
import type { OutputSettings, SrtLegSettings } from './flow-settings.ts';
import type { OutputStats } from './flow-stats.ts';
import { RateMeter } from './rate-meter.ts';
import { createReportingLeg, type ReportingLegDependencies } from './reporting-leg.ts';
import type { SrtLeg, SrtLegLimits } from './srt-leg.ts';
import { srtStatsOf } from './srt-stats.ts';
import { TsPacker } from './ts-packer.ts';

type SrtOutputSettings = Extract<OutputSettings, { type: 'srt' }>;

const limits: SrtLegLimits = { maxConnections: 8, takeoverUs: null };
/** A chunk that is later than this leaves with the time that it is: the peer's latency must not shrink. */
const latestUs = 20_000;

/** An SRT output: one leg, or two that carry the same RTP packets (SMPTE ST 2022-7). */
export class SrtOutput implements FlowOutput {
  readonly #dependencies: ReportingLegDependencies;
  readonly #settings: SrtOutputSettings;
  readonly #legs: readonly SrtLeg[];
  readonly #packer: TsPacker;
  readonly #meter = new RateMeter();
  readonly #ssrc: number;
  #sequence = 0;
  /** What no connection took, and what connections that have ended had dropped. */
  #dropped = 0;

  constructor(dependencies: ReportingLegDependencies, settings: SrtOutputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const { leg, redundancy } = settings;
    this.#packer = new TsPacker(leg.payloadBytes - (redundancy === null ? 0 : rtpHeaderBytes));
    this.#ssrc = Buffer.from(dependencies.random.bytes(4)).readUInt32BE(0);
    this.#legs =
      redundancy === null ? [this.#createLeg(leg, null)] : [this.#createLeg(leg, 1), this.#createLeg(redundancy, 2)];
  }

  get patienceMs(): number {
    return Math.min(...this.#legs.map((leg) => leg.patienceMs));
  }

  async start(): Promise<void> {
    await Promise.all(this.#legs.map((leg) => leg.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#legs.map((leg) => leg.stop()));
  }

  write(nowUs: number, { bytes, timeUs }: Chunk): void {
    const originUs = Math.max(timeUs, nowUs - latestUs);
    for (const payload of this.#packer.pack(bytes)) {
      const packet = this.#settings.redundancy === null ? payload : this.#inRtp(payload, originUs);
      let taken = 0;
      for (const leg of this.#legs) taken += leg.write(nowUs, packet, originUs);
      if (taken === 0) this.#dropped++;
      else this.#meter.add(nowUs, payload.length);
    }
  }

  stats(): OutputStats {
    const { nowUs } = this.#dependencies.pulse;
    const connections = this.#legs.flatMap((leg) => leg.connections);
    const [first] = connections;
    const remote =
      first === undefined ? undefined : this.#legs.map((leg) => leg.remoteOf(first)).find((name) => name !== '');
    const { id, name, leg } = this.#settings;
    return {
      output_id: id,
      output_name: name,
      output_type: 'srt',
      state: first !== undefined ? 'connected' : leg.mode === 'listener' ? 'listening' : 'connecting',
      mode: leg.mode,
      local_addr: this.#legs[0]?.localAddress ?? '',
      ...(remote !== undefined && { remote_addr: remote }),
      packets_sent: this.#meter.packets,
      bytes_sent: this.#meter.bytes,
      bitrate_bps: this.#meter.bitsPerSecond(nowUs),
      packets_dropped: this.#dropped + connections.reduce((sum, each) => sum + each.counters.packetsSendDrop, 0),
      ...(leg.mode === 'listener' && { viewers: connections.length }),
      ...(first !== undefined && { srt_stats: srtStatsOf(first, nowUs) }),
    };
  }

  #inRtp(payload: Buffer, originUs: number): Buffer {
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    const timestamp = Math.floor((originUs * 9) / 100) % 2 ** 32;
    return encodeRtp({ payloadType: mpegTsPayloadType, sequence, timestamp, ssrc: this.#ssrc }, payload);
  }

  #createLeg(settings: SrtLegSettings, leg: 1 | 2 | null): SrtLeg {
    const { report } = this.#dependencies;
    const side = { outputId: this.#settings.id, leg };
    return createReportingLeg(
      this.#dependencies,
      { leg: settings, limits, side },
      {
        deliver: () => undefined,
        connected: () => undefined,
        disconnected: (connection, remoteAddr, reason) => {
          this.#dropped += connection.counters.packetsSendDrop;
          if (reason === 'stale') report({ kind: 'srt-stale', ...side, remoteAddr });
          else report({ kind: 'srt-disconnected', ...side, remoteAddr, reason });
        },
        lost: (error) => report({ kind: 'srt-failed', ...side, error, remoteAddr: '', attempts: 1 }),
      },
    );
  }
}
