import type { Clock } from '../../lib/clock.ts';
import { isVideo, type MediaUnit, type VideoUnit } from '../codec/media-unit.ts';
import { carried } from '../codec/nal.ts';
import { ParameterSets } from '../codec/parameter-sets.ts';
import { TsDemuxer } from '../mpegts/ts-demuxer.ts';
import { packetizeH264 } from '../rtp/h264-packetizer.ts';
import type { TrackKind } from '../webrtc/rtc-session.ts';

/** One RTP packet for every session of an output. */
export interface FeedPacket {
  readonly kind: TrackKind;
  readonly payload: Buffer;
  readonly timestamp: number;
  readonly marker: boolean;
  /** The first packet of a picture that a decoder can start at. */
  readonly startsKey: boolean;
}

export interface RtcFeedDependencies {
  readonly clock: Clock;
  readonly send: (packet: FeedPacket) => void;
  /** Why this stream is not for WebRTC; once until it is, or for another reason. */
  readonly unfit: (problem: string) => void;
}

/** Fits every path of the internet with SRTP, UDP and IP headers. */
const payloadBytes = 1180;
/** A picture of more packets is spread over some milliseconds: in one burst it would overrun the receiver's socket. */
const burstPackets = 12;
const spreadMs = 2;
const spreads = 4;
/** A stream whose encoder was set right is fit again after so long; an encoder may leave B-frames out for a while. */
const fitMs = 10_000;

/** Takes pictures and Opus out of a flow's transport stream and makes RTP packets of them. */
export class RtcFeed {
  readonly #dependencies: RtcFeedDependencies;
  readonly #demuxer = new TsDemuxer();
  readonly #sets = new ParameterSets('h264');
  readonly #waiting: FeedPacket[] = [];
  #perSpread = burstPackets;
  #isSpreading = false;
  #lastPts: number | null = null;
  #problem: string | null = null;
  /** When the problem has last shown. */
  #unfitAtMs = 0;

  constructor(dependencies: RtcFeedDependencies) {
    this.#dependencies = dependencies;
  }

  /** Why this stream is not for WebRTC; null while nothing is wrong with it. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Whether the stream has sound that a browser takes. */
  get hasOpus(): boolean {
    return this.#demuxer.tracks.audio === 'opus';
  }

  /** `bytes` are whole TS packets. */
  push(bytes: Buffer): void {
    for (const unit of this.#demuxer.push(bytes)) this.#unit(unit);
  }

  #unit(unit: MediaUnit): void {
    if (isVideo(unit)) this.#picture(unit);
    else if (unit.codec === 'opus') {
      const timestamp = Math.round((unit.pts * 48) / 90) % 2 ** 32;
      this.#enqueue([{ kind: 'audio', payload: unit.frame, timestamp, marker: false, startsKey: false }]);
    }
  }

  #picture(unit: VideoUnit): void {
    if (unit.codec !== 'h264') {
      this.#isUnfit('source is not H.264');
      return;
    }
    const step = unit.pts - (this.#lastPts ?? unit.pts);
    this.#lastPts = unit.pts;
    // Further back is a new time line.
    if (step < 0 && step > -90_000) {
      this.#isUnfit('source has B-frames');
      return;
    }
    if (this.#problem !== null && this.#dependencies.clock.monotonicMs() - this.#unfitAtMs >= fitMs)
      this.#problem = null;
    const nals = carried('h264', this.#sets.complete(unit));
    const timestamp = unit.pts % 2 ** 32;
    this.#enqueue(
      packetizeH264(nals, payloadBytes).map(({ payload, marker }, index) => {
        return { kind: 'video', payload, timestamp, marker, startsKey: unit.isKey && index === 0 };
      }),
    );
  }

  #isUnfit(problem: string): void {
    this.#unfitAtMs = this.#dependencies.clock.monotonicMs();
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#dependencies.unfit(problem);
  }

  #enqueue(packets: readonly FeedPacket[]): void {
    if (!this.#isSpreading && packets.length <= burstPackets) {
      for (const packet of packets) this.#dependencies.send(packet);
      return;
    }
    this.#waiting.push(...packets);
    this.#perSpread = Math.max(this.#perSpread, Math.ceil(this.#waiting.length / spreads));
    if (!this.#isSpreading) this.#spread();
  }

  #spread(): void {
    for (const packet of this.#waiting.splice(0, this.#perSpread)) this.#dependencies.send(packet);
    this.#isSpreading = this.#waiting.length > 0;
    if (this.#isSpreading) this.#dependencies.clock.setTimeout(() => this.#spread(), spreadMs);
    else this.#perSpread = burstPackets;
  }
}
