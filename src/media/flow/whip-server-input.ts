import { errorMessage } from '../../lib/app-error.ts';
import { RtcSession, type TrackKind } from '../webrtc/rtc-session.ts';
import { readOffer } from '../webrtc/sdp.ts';
import type { FlowInput, FlowInputDependencies } from './flow-part.ts';
import type { InputSettings } from './flow-settings.ts';
import type { InputStats } from './flow-stats.ts';
import { refusedOffer, type OfferOutcome, type OfferTaker } from './offer-taker.ts';
import { QuietFailures } from './quiet-failures.ts';
import { RtcUnits } from './rtc-units.ts';
import { UnitMuxer } from './unit-muxer.ts';

type WhipInputSettings = Extract<InputSettings, { type: 'webrtc' }>;

interface Publisher {
  readonly id: string;
  readonly session: RtcSession;
  readonly units: RtcUnits;
  remoteAddr: string;
}

/** Takes one publisher at a time by WHIP. */
export class WhipServerInput implements FlowInput, OfferTaker {
  readonly #dependencies: FlowInputDependencies;
  readonly #settings: WhipInputSettings;
  readonly #muxer: UnitMuxer;
  readonly #failures = new QuietFailures();
  #publisher: Publisher | null = null;
  #lost = 0;
  #refused = 0;

  constructor(dependencies: FlowInputDependencies, settings: WhipInputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#muxer = new UnitMuxer(dependencies);
  }

  get offers(): OfferTaker {
    return this;
  }

  start(): Promise<void> {
    this.#muxer.start();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#muxer.stop();
    const publisher = this.#publisher;
    this.#publisher = null;
    await publisher?.session.close();
  }

  async offer(sdp: string): Promise<OfferOutcome> {
    const offer = readOffer(sdp);
    if (offer === null) return this.#refuse(400, 'the offer is not SDP');
    if (offer.h264 === null) return this.#refuse(400, 'no common codec: the publisher sends no H.264');
    // A second one is no failure of the first: it may try again.
    if (this.#publisher !== null) return refusedOffer(409, 'a publisher is live');
    const withSound = !this.#settings.videoOnly && offer.hasOpus;
    const id = Buffer.from(this.#dependencies.random.bytes(16)).toString('hex');
    const publisher = this.#create(id, withSound ? ['video', 'audio'] : ['video'], offer.h264);
    this.#publisher = publisher;
    try {
      return { kind: 'answered', sessionId: id, sdp: await publisher.session.answer(sdp) };
    } catch (cause) {
      this.#publisher = null;
      return this.#refuse(400, `the offer cannot be used: ${errorMessage(cause)}`);
    }
  }

  async hangUp(sessionId: string): Promise<boolean> {
    const publisher = this.#publisher;
    if (publisher?.id !== sessionId) return false;
    const wasConnected = publisher.session.isConnected;
    await publisher.session.close();
    this.#onEnded(publisher, 'the publisher has ended the session', wasConnected);
    return true;
  }

  requestKeyFrame(): void {
    this.#publisher?.session.requestKeyFrame();
  }

  stats(): InputStats {
    const { meter, skipped } = this.#muxer;
    const publisher = this.#publisher;
    const isConnected = publisher?.session.isConnected === true;
    return {
      input_type: 'webrtc',
      state: isConnected ? 'publishing' : 'waiting',
      mode: 'whip_server',
      ...(isConnected && { remote_addr: publisher.remoteAddr }),
      packets_received: meter.packets,
      bytes_received: meter.bytes,
      bitrate_bps: meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_lost: this.#lost + (publisher?.units.lost ?? 0),
      packets_filtered: skipped,
      redundancy_switches: 0,
      refused: this.#refused,
    };
  }

  #create(id: string, tracks: readonly TrackKind[], h264: { payloadType: number; parameters: string }): Publisher {
    const { clock, pulse, report } = this.#dependencies;
    const { publicIp, stunServer } = this.#settings;
    const session: RtcSession = new RtcSession(
      {
        clock,
        observer: {
          connected: (remoteAddr) => {
            publisher.remoteAddr = remoteAddr;
            this.#muxer.beginSource();
            report({ kind: 'webrtc-connected', role: 'publisher', outputId: null, remoteAddr });
            session.requestKeyFrame();
          },
          ended: ({ reason, wasConnected }) => this.#onEnded(publisher, reason, wasConnected),
          packet: (packet) => {
            if (publisher.units.push(pulse.nowUs, packet)) this.#dependencies.requestKeyFrame();
          },
          keyFrameWanted: () => undefined,
        },
      },
      { role: 'receives', tracks, h264, publicIp, stunServer },
    );
    const publisher: Publisher = { id, session, units: new RtcUnits(this.#muxer), remoteAddr: '' };
    return publisher;
  }

  #onEnded(publisher: Publisher, reason: string, wasConnected: boolean): void {
    if (this.#publisher !== publisher) return;
    this.#publisher = null;
    this.#lost += publisher.units.lost;
    const { remoteAddr } = publisher;
    const { report } = this.#dependencies;
    if (wasConnected) report({ kind: 'webrtc-disconnected', role: 'publisher', outputId: null, remoteAddr, reason });
    else this.#failed(reason);
  }

  #refuse(status: 400, error: string): OfferOutcome {
    this.#refused++;
    this.#failed(error);
    return refusedOffer(status, error);
  }

  #failed(error: string): void {
    const { pulse, report } = this.#dependencies;
    if (!this.#failures.isNews(pulse.nowUs, error)) return;
    report({ kind: 'webrtc-failed', outputId: null, error, attempts: 1 });
  }
}
