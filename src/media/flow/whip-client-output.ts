import { urlForPeople } from '../../lib/url-for-people.ts';
import type { Chunk } from './chunk.ts';
import type { FlowOutput, FlowPartDependencies } from './flow-part.ts';
import type { OutputSettings } from './flow-settings.ts';
import type { OutputStats } from './flow-stats.ts';
import { RateMeter } from './rate-meter.ts';
import { RtcDialler } from './rtc-dialler.ts';
import { RtcFeed, type FeedPacket } from './rtc-feed.ts';

type WebRtcOutputSettings = Extract<OutputSettings, { type: 'webrtc' }>;

/** Publishes the flow at a WHIP server. */
export class WhipClientOutput implements FlowOutput {
  readonly #dependencies: FlowPartDependencies;
  readonly #settings: WebRtcOutputSettings;
  readonly #feed: RtcFeed;
  readonly #dialler: RtcDialler;
  readonly #meter = new RateMeter();
  #hasStarted = false;

  constructor(dependencies: FlowPartDependencies, settings: WebRtcOutputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    const { clock, random, report, requestKeyFrame } = dependencies;
    const failed = (error: string): void => {
      report({ kind: 'webrtc-failed', outputId: settings.id, error, attempts: 1 });
    };
    this.#feed = new RtcFeed({ clock, send: (packet) => this.#send(packet), unfit: failed });
    const { whipUrl: url, bearerToken, videoOnly } = settings;
    this.#dialler = new RtcDialler(
      {
        clock,
        random,
        observer: {
          connected: () => {
            this.#hasStarted = false;
            requestKeyFrame();
          },
          // The server's end is no event of its own: the failures that follow are.
          disconnected: (_remoteAddr, reason) => failed(`${urlForPeople(url)}: ${reason}`),
          failed,
          packet: () => undefined,
          keyFrameWanted: requestKeyFrame,
        },
      },
      { endpoint: { url, bearerToken }, role: 'sends', videoOnly },
    );
  }

  start(): Promise<void> {
    this.#dialler.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.#dialler.stop();
  }

  write(_nowUs: number, { bytes }: Chunk): void {
    this.#feed.push(bytes);
  }

  stats(): OutputStats {
    const { id, name, whipUrl } = this.#settings;
    const { isConnected, remoteAddr } = this.#dialler;
    return {
      output_id: id,
      output_name: name,
      output_type: 'webrtc',
      state: this.#feed.problem ?? (isConnected ? 'connected' : 'connecting'),
      mode: 'whip_client',
      whip_url: urlForPeople(whipUrl),
      ...(remoteAddr !== '' && { remote_addr: remoteAddr }),
      packets_sent: this.#meter.packets,
      bytes_sent: this.#meter.bytes,
      bitrate_bps: this.#meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_dropped: 0,
    };
  }

  #send({ kind, payload, timestamp, marker, startsKey }: FeedPacket): void {
    const { session, isConnected } = this.#dialler;
    if (!isConnected || session === null) return;
    this.#hasStarted ||= startsKey;
    if (!this.#hasStarted) return;
    session.send(kind, payload, timestamp, marker);
    this.#meter.add(this.#dependencies.pulse.nowUs, payload.length);
  }
}
