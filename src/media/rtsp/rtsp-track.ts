import type { MediaUnit } from '../codec/media-unit.ts';
import { createDepacketiser, type Depacketiser } from '../rtp/depacketiser.ts';
import { RtpOrder } from '../rtp/rtp-order.ts';
import { decodeRtp, isRtcp } from '../rtp/rtp-packet.ts';
import { SourceClock } from '../rtp/source-clock.ts';
import type { SdpTrack } from './sdp.ts';

/** One stream of a session. Streams differ by channel or port: their payload types may be the same. */
export class RtspTrack {
  readonly sdp: SdpTrack;
  readonly url: string;
  readonly clock: SourceClock;
  readonly #order = new RtpOrder();
  readonly #depacketiser: Depacketiser;
  /** Of RTP on the connection; null over UDP. */
  channel: number | null = null;
  /** RTP packets of another payload type, and what is no RTP. */
  unreadable = 0;

  constructor(sdp: SdpTrack, url: string) {
    this.sdp = sdp;
    this.url = url;
    this.clock = new SourceClock(sdp.clockRate);
    this.#depacketiser = createDepacketiser(sdp.format, this.clock);
  }

  /** RTP packets that never came. */
  get lost(): number {
    return this.#order.lost;
  }

  /** The units that are complete now; null for what is not RTP of this stream. */
  push(nowUs: number, bytes: Buffer): readonly MediaUnit[] | null {
    if (isRtcp(bytes)) return null;
    const packet = decodeRtp(bytes);
    if (packet?.payloadType !== this.sdp.payloadType) {
      this.unreadable++;
      return null;
    }
    return this.#order.push(nowUs, packet).flatMap((each) => this.#depacketiser.push(nowUs, each));
  }
}

/**
 * RTP-Info (RFC 2326 §12.33) names a timestamp of each stream, all of the same moment: only then they are on one line.
 */
export function anchorTracks(tracks: readonly RtspTrack[], nowUs: number, info: string): void {
  const entries = info.split(/,(?=\s*url=)/).map((entry) => {
    const url = /url="?([^;",]*)/.exec(entry)?.[1]?.trim() ?? '';
    const time = /rtptime=(\d{1,10})/.exec(entry)?.[1];
    return { url, time: time === undefined ? null : Number(time) };
  });
  const times = tracks.map(({ url, sdp }) => {
    return entries.find((entry) => entry.url !== '' && (entry.url === url || entry.url === sdp.control))?.time ?? null;
  });
  if (times.includes(null)) return;
  const ticks = Math.round((nowUs * 9) / 100);
  for (const [index, { clock }] of tracks.entries()) clock.anchor((times[index] ?? 0) % 2 ** 32, ticks);
}

/** The URL of a stream: absolute as it is, `*` or nothing is the base, else it stands behind the base. */
export function resolveControl(base: string, control: string): string {
  const clean = control.replaceAll(/[\s\r\n]/g, '');
  if (/^rtsps?:\/\//i.test(clean)) return clean;
  const from = base.replaceAll(/[\s\r\n]/g, '');
  if (clean === '' || clean === '*') return from;
  return `${from.replace(/\/$/, '')}/${clean.replace(/^\//, '')}`;
}
