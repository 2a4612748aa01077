import { errorMessage } from '../../lib/app-error.ts';
import { LegWatch } from '../merge/leg-watch.ts';
import { RtpMerge } from '../merge/rtp-merge.ts';
import type { DatagramObserver, DatagramSocket } from '../net/datagram-socket.ts';
import { decodeRtp, isRtcp, type RtpPacket } from '../rtp/rtp-packet.ts';
import type { Chunk } from './chunk.ts';
import type { FlowInput, FlowInputDependencies } from './flow-part.ts';
import type { InputSettings } from './flow-settings.ts';
import type { InputStats } from './flow-stats.ts';
import type { Pulsed } from './pulse.ts';
import { RateMeter } from './rate-meter.ts';
import { isTs, tsPayloadOf } from './ts-payload.ts';

type RtpInputSettings = Extract<InputSettings, { type: 'rtp' }>;
type DatagramInputSettings = Extract<InputSettings, { type: 'udp' }> | RtpInputSettings;

const watchPeriodUs = 250_000;

/** MPEG-TS in UDP, bare or in RTP. */
export class DatagramInput implements FlowInput, Pulsed {
  readonly #dependencies: FlowInputDependencies;
  readonly #settings: DatagramInputSettings;
  readonly #meter = new RateMeter();
  readonly #merge: RtpMerge<Chunk> | null;
  readonly #watch = new LegWatch();
  #watchAtUs = 0;
  #sockets: DatagramSocket[] = [];
  #filtered = 0;
  #lost = 0;
  #lastSequence: number | null = null;
  #windowUs = 0;
  #windowBytes = 0;
  #remote: string | null = null;

  constructor(dependencies: FlowInputDependencies, settings: DatagramInputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const merges = settings.type === 'rtp' && settings.redundancy !== null;
    this.#merge = merges ? new RtpMerge(settings.mergeWindowMs * 1000, dependencies.publish) : null;
  }

  get nextUs(): number {
    return Math.min(this.#watchAtUs, this.#merge?.nextUs ?? Number.POSITIVE_INFINITY);
  }

  tick(nowUs: number): void {
    this.#merge?.tick(nowUs);
    if (nowUs < this.#watchAtUs) return;
    this.#watchAtUs = nowUs + watchPeriodUs;
    for (const alarm of this.#watch.check(nowUs)) this.#dependencies.report(alarm);
  }

  async start(): Promise<void> {
    const { openSocket, openTunnel, pulse } = this.#dependencies;
    const { bindAddr, interfaceAddr, tunnel } = this.#settings;
    const open = { interfaceAddr, ipv6: false };
    if (tunnel !== null) this.#sockets.push(await openTunnel(tunnel, this.#observer(1)));
    else this.#sockets.push(await openSocket({ bindAddr, ...open }, this.#observer(1)));
    if (this.#settings.type === 'rtp' && this.#settings.redundancy !== null) {
      const { bindAddr: second } = this.#settings.redundancy;
      this.#sockets.push(await openSocket({ bindAddr: second, ...open }, this.#observer(2)));
      pulse.add(this);
    }
  }

  async stop(): Promise<void> {
    this.#dependencies.pulse.remove(this);
    await Promise.all(this.#sockets.map((socket) => socket.close()));
  }

  stats(): InputStats {
    const bitrate = this.#meter.bitsPerSecond(this.#dependencies.pulse.nowUs);
    const counters = this.#merge?.counters;
    return {
      input_type: this.#settings.type,
      state: bitrate > 0 ? 'receiving' : 'waiting',
      local_addr: this.#sockets[0]?.localAddress ?? '',
      ...(this.#remote !== null && { remote_addr: this.#remote }),
      packets_received: this.#meter.packets,
      bytes_received: this.#meter.bytes,
      bitrate_bps: bitrate,
      packets_lost: counters?.lost ?? this.#lost,
      packets_filtered: this.#filtered,
      redundancy_switches: 0,
      ...(counters !== undefined && { legs: this.#watch.silence(this.#dependencies.pulse.nowUs) }),
      ...(counters !== undefined && { duplicates: counters.duplicates, recovered_by_other_leg: counters.recovered }),
    };
  }

  #observer(leg: 1 | 2): DatagramObserver {
    return {
      onMessage: (packet, address, port) => this.#onMessage(packet, address, port, leg),
      onError: (error) => this.#dependencies.report({ kind: 'input-lost', error: errorMessage(error) }),
    };
  }

  #onMessage(packet: Buffer, address: string, port: number, leg: 1 | 2): void {
    const { pulse, publish } = this.#dependencies;
    const { nowUs } = pulse;
    const chunk = this.#chunkOf(nowUs, packet, address);
    if (chunk === null) return;
    this.#remote = `${address}:${port}`;
    this.#meter.add(nowUs, chunk.bytes.length);
    if (this.#merge === null || chunk.rtp === null) {
      publish(nowUs, chunk);
      return;
    }
    this.#watch.onData(nowUs, leg);
    this.#merge.push(nowUs, leg, chunk.rtp, chunk);
    pulse.poke(this.nextUs);
  }

  /** Null for what is not let in. */
  #chunkOf(nowUs: number, packet: Buffer, address: string): Chunk | null {
    const settings = this.#settings;
    if (settings.type === 'udp') {
      const ts = tsPayloadOf(packet);
      if (ts === null) this.#filtered++;
      return ts === null ? null : { ...ts, timeUs: nowUs };
    }
    if (isRtcp(packet)) return null;
    const rtp = decodeRtp(packet);
    if (rtp === null || !isTs(rtp.payload) || !this.#letsIn(nowUs, settings, rtp, address)) {
      this.#filtered++;
      return null;
    }
    this.#countLoss(rtp.sequence);
    return { bytes: rtp.payload, timeUs: nowUs, rtp: { sequence: rtp.sequence, ssrc: rtp.ssrc } };
  }

  #letsIn(nowUs: number, settings: RtpInputSettings, { payloadType, payload }: RtpPacket, address: string): boolean {
    const { allowedSources, allowedPayloadTypes, maxBitrateMbps } = settings;
    if (allowedSources !== null && !allowedSources.includes(address)) return false;
    if (allowedPayloadTypes !== null && !allowedPayloadTypes.includes(payloadType)) return false;
    return this.#withinRate(nowUs, payload.length, maxBitrateMbps);
  }

  #withinRate(nowUs: number, bytes: number, maxMbps: number | null): boolean {
    if (maxMbps === null) return true;
    if (nowUs - this.#windowUs >= 1_000_000) {
      this.#windowUs = nowUs;
      this.#windowBytes = 0;
    }
    this.#windowBytes += bytes;
    return this.#windowBytes * 8 <= maxMbps * 1e6;
  }

  #countLoss(sequence: number): void {
    if (this.#lastSequence !== null) {
      const gap = ((sequence - this.#lastSequence - 1) << 16) >> 16;
      if (gap > 0 && gap < 4096) this.#lost += gap;
    }
    this.#lastSequence = sequence;
  }
}
