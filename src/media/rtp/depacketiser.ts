import { aacFrameSamples, type AacConfig } from '../codec/aac.ts';
import { DtsGuess } from '../codec/dts-guess.ts';
import { ticksPerSecond, type MediaUnit, type VideoCodec } from '../codec/media-unit.ts';
import { AacDepacketiser, type AacFormat } from './aac-depacketiser.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { SourceClock } from './source-clock.ts';
import { VideoDepacketiser } from './video-depacketiser.ts';

/** What an RTP stream carries. */
export type RtpFormat =
  | { readonly codec: VideoCodec }
  | { readonly codec: 'aac'; readonly config: AacConfig; readonly format: AacFormat }
  | { readonly codec: 'opus' };

/** Takes the units of one RTP stream out of its packets. Pure; shared by RTSP and WebRTC. */
export interface Depacketiser {
  /** Packets in the order of their sequence numbers; a gap is noticed. */
  push(nowUs: number, packet: RtpPacket): readonly MediaUnit[];
  /** Pictures that were dropped because a packet was missing: a key frame should be asked for. */
  readonly damaged: number;
}

/** `clock` gives the units their times. */
export function createDepacketiser(format: RtpFormat, clock: SourceClock): Depacketiser {
  switch (format.codec) {
    case 'h264':
    case 'h265':
      return new VideoUnits(format.codec, clock);
    case 'aac': {
      const reader = new AacDepacketiser(format.format);
      const { config } = format;
      const frameTicks = (aacFrameSamples * ticksPerSecond) / config.sampleRate;
      return sound((nowUs, packet) =>
        reader.push(packet).map(({ index, timestamp, frame }) => {
          const pts = Math.round(clock.place(nowUs, timestamp) + index * frameTicks);
          return { codec: 'aac', pts, frame, config };
        }),
      );
    }
    case 'opus':
      return sound((nowUs, { timestamp, payload: frame }) => {
        return frame.length === 0 ? [] : [{ codec: 'opus', pts: clock.place(nowUs, timestamp), frame }];
      });
  }
}

/** A frame of sound is lost alone. */
function sound(push: Depacketiser['push']): Depacketiser {
  return { damaged: 0, push };
}

class VideoUnits implements Depacketiser {
  readonly #codec: VideoCodec;
  readonly #clock: SourceClock;
  readonly #reader: VideoDepacketiser;
  readonly #dts = new DtsGuess();

  constructor(codec: VideoCodec, clock: SourceClock) {
    this.#codec = codec;
    this.#clock = clock;
    this.#reader = new VideoDepacketiser(codec);
  }

  get damaged(): number {
    return this.#reader.damaged;
  }

  push(nowUs: number, packet: RtpPacket): readonly MediaUnit[] {
    return this.#reader.push(packet).map(({ timestamp, isKey, nals }) => {
      const pts = this.#clock.place(nowUs, timestamp);
      return { codec: this.#codec, pts, dts: this.#dts.next(pts), isKey, nals };
    });
  }
}
