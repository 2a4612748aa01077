import { urlForPeople } from '../../lib/url-for-people.ts';
import type { FlowInput, FlowInputDependencies } from './flow-part.ts';
import type { InputSettings } from './flow-settings.ts';
import type { InputStats } from './flow-stats.ts';
import { RtcDialler } from './rtc-dialler.ts';
import { RtcUnits } from './rtc-units.ts';
import { UnitMuxer } from './unit-muxer.ts';

type WhepInputSettings = Extract<InputSettings, { type: 'whep' }>;

/** Plays from a WHEP server. */
export class WhepClientInput implements FlowInput {
  readonly #dependencies: FlowInputDependencies;
  readonly #settings: WhepInputSettings;
  readonly #muxer: UnitMuxer;
  readonly #dialler: RtcDialler;
  #units: RtcUnits;
  #lost = 0;

  constructor(dependencies: FlowInputDependencies, settings: WhepInputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#muxer = new UnitMuxer(dependencies);
    this.#units = new RtcUnits(this.#muxer);
    const { clock, random, pulse, report, requestKeyFrame } = dependencies;
    const { whepUrl: url, bearerToken, videoOnly } = settings;
    const side = { role: 'server', outputId: null } as const;
    this.#dialler = new RtcDialler(
      {
        clock,
        random,
        observer: {
          connected: (remoteAddr, attempts) => {
            this.#lost += this.#units.lost;
            this.#units = new RtcUnits(this.#muxer);
            this.#muxer.beginSource();
            report({ kind: 'webrtc-connected', ...side, remoteAddr, attempts });
            requestKeyFrame();
          },
          disconnected: (remoteAddr, reason) => report({ kind: 'webrtc-disconnected', ...side, remoteAddr, reason }),
          failed: (error) => report({ kind: 'webrtc-failed', outputId: null, error, attempts: 1 }),
          packet: (packet) => {
            if (this.#units.push(pulse.nowUs, packet)) requestKeyFrame();
          },
          keyFrameWanted: () => undefined,
        },
      },
      { endpoint: { url, bearerToken }, role: 'receives', videoOnly },
    );
  }

  start(): Promise<void> {
    this.#muxer.start();
    this.#dialler.start();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#muxer.stop();
    await this.#dialler.stop();
  }

  requestKeyFrame(): void {
    this.#dialler.session?.requestKeyFrame();
  }

  stats(): InputStats {
    const { meter, skipped } = this.#muxer;
    const { isConnected, remoteAddr } = this.#dialler;
    return {
      input_type: 'whep',
      state: isConnected ? 'connected' : 'connecting',
      whep_url: urlForPeople(this.#settings.whepUrl),
      ...(remoteAddr !== '' && { remote_addr: remoteAddr }),
      packets_received: meter.packets,
      bytes_received: meter.bytes,
      bitrate_bps: meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_lost: this.#lost + this.#units.lost,
      packets_filtered: skipped,
      redundancy_switches: 0,
    };
  }
}
