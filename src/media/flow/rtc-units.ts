import { createDepacketiser, type Depacketiser } from '../rtp/depacketiser.ts';
import { RtpOrder } from '../rtp/rtp-order.ts';
import { SourceClock } from '../rtp/source-clock.ts';
import type { RtcPacket, TrackKind } from '../webrtc/rtc-session.ts';
import type { UnitMuxer } from './unit-muxer.ts';

interface Track {
  readonly order: RtpOrder;
  readonly depacketiser: Depacketiser;
}

/** The tracks of one WebRTC session: packets in, pictures and sound into the flow's stream. */
export class RtcUnits {
  readonly #muxer: UnitMuxer;
  readonly #tracks: Readonly<Record<TrackKind, Track>> = {
    video: { order: new RtpOrder(), depacketiser: createDepacketiser({ codec: 'h264' }, new SourceClock(90_000)) },
    audio: { order: new RtpOrder(), depacketiser: createDepacketiser({ codec: 'opus' }, new SourceClock(48_000)) },
  };
  #hasPicture = false;

  constructor(muxer: UnitMuxer) {
    this.#muxer = muxer;
  }

  get lost(): number {
    return this.#tracks.video.order.lost + this.#tracks.audio.order.lost;
  }

  /** True when a picture was spoilt: a key frame should be asked for. */
  push(nowUs: number, { kind, ...packet }: RtcPacket): boolean {
    const { order, depacketiser } = this.#tracks[kind];
    const before = depacketiser.damaged;
    for (const each of order.push(nowUs, { ...packet, payloadType: 0, ssrc: 0 })) {
      for (const unit of depacketiser.push(nowUs, each)) {
        // Sound alone at the start would put the picture's track into the tables late.
        this.#hasPicture ||= kind === 'video';
        if (this.#hasPicture) this.#muxer.push(unit);
      }
    }
    return depacketiser.damaged > before;
  }
}
