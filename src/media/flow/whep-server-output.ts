import { errorMessage } from '../../lib/app-error.ts';
import { RtcSession, type TrackKind } from '../webrtc/rtc-session.ts';
import { readOffer, type OfferFacts } from '../webrtc/sdp.ts';
import type { Chunk } from './chunk.ts';
import type { FlowOutput, FlowPartDependencies } from './flow-part.ts';
import type { OutputSettings } from './flow-settings.ts';
import type { OutputStats } from './flow-stats.ts';
import { refusedOffer, type OfferOutcome, type OfferTaker } from './offer-taker.ts';
import { QuietFailures } from './quiet-failures.ts';
import { RateMeter } from './rate-meter.ts';
import { RtcFeed, type FeedPacket } from './rtc-feed.ts';

type WebRtcOutputSettings = Extract<OutputSettings, { type: 'webrtc' }>;

interface Viewer {
  readonly id: string;
  readonly session: RtcSession;
  remoteAddr: string;
  /** A picture that it can decode has gone to it. */
  hasStarted: boolean;
}

/** Serves viewers that dial with WHEP; each begins at the next key frame. */
export class WhepServerOutput implements FlowOutput, OfferTaker {
  readonly #dependencies: FlowPartDependencies;
  readonly #settings: WebRtcOutputSettings;
  readonly #feed: RtcFeed;
  readonly #viewers = new Map<string, Viewer>();
  readonly #meter = new RateMeter();
  readonly #failures = new QuietFailures();
  #stopped = false;

  constructor(dependencies: FlowPartDependencies, settings: WebRtcOutputSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#feed = new RtcFeed({
      clock: dependencies.clock,
      send: (packet) => this.#send(packet),
      unfit: (problem) => this.#failed(problem),
    });
  }

  get offers(): OfferTaker {
    return this;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#viewers.values()].map(({ session }) => session.close()));
    this.#viewers.clear();
  }

  write(_nowUs: number, { bytes }: Chunk): void {
    this.#feed.push(bytes);
  }

  async offer(sdp: string): Promise<OfferOutcome> {
    const refusal = this.#refusal(readOffer(sdp));
    if (refusal !== null) {
      if (refusal.error !== this.#feed.problem) this.#failed(refusal.error);
      return refusedOffer(refusal.status, refusal.error);
    }
    const id = Buffer.from(this.#dependencies.random.bytes(16)).toString('hex');
    const session = this.#session(id, readOffer(sdp));
    this.#viewers.set(id, { id, session, remoteAddr: '', hasStarted: false });
    try {
      return { kind: 'answered', sessionId: id, sdp: await session.answer(sdp) };
    } catch (cause) {
      this.#viewers.delete(id);
      const error = `the offer cannot be used: ${errorMessage(cause)}`;
      this.#failed(error);
      return refusedOffer(400, error);
    }
  }

  async hangUp(sessionId: string): Promise<boolean> {
    const viewer = this.#viewers.get(sessionId);
    if (viewer === undefined) return false;
    const wasConnected = viewer.session.isConnected;
    await viewer.session.close();
    this.#onEnded(viewer.id, 'the viewer has ended the session', wasConnected);
    return true;
  }

  stats(): OutputStats {
    const { id, name } = this.#settings;
    const connected = [...this.#viewers.values()].filter(({ session }) => session.isConnected);
    const [first] = connected;
    return {
      output_id: id,
      output_name: name,
      output_type: 'webrtc',
      state: this.#feed.problem ?? (first === undefined ? 'waiting' : 'serving'),
      mode: 'whep_server',
      ...(first !== undefined && { remote_addr: first.remoteAddr }),
      packets_sent: this.#meter.packets,
      bytes_sent: this.#meter.bytes,
      bitrate_bps: this.#meter.bitsPerSecond(this.#dependencies.pulse.nowUs),
      packets_dropped: 0,
      viewers: connected.length,
    };
  }

  #refusal(offer: OfferFacts | null): { readonly status: 400 | 409 | 503; readonly error: string } | null {
    if (offer === null) return { status: 400, error: 'the offer is not SDP' };
    if (offer.h264 === null) return { status: 400, error: 'no common codec: the viewer takes no H.264' };
    const { problem } = this.#feed;
    if (problem !== null) return { status: 409, error: problem };
    const { maxViewers } = this.#settings;
    if (this.#viewers.size >= maxViewers) return { status: 503, error: `too many viewers (max_viewers ${maxViewers})` };
    return null;
  }

  #session(id: string, offer: OfferFacts | null): RtcSession {
    const withSound = !this.#settings.videoOnly && offer?.hasOpus === true && this.#feed.hasOpus;
    const tracks: TrackKind[] = withSound ? ['video', 'audio'] : ['video'];
    const { clock, report, requestKeyFrame } = this.#dependencies;
    const outputId = this.#settings.id;
    return new RtcSession(
      {
        clock,
        observer: {
          connected: (remoteAddr) => {
            const viewer = this.#viewers.get(id);
            if (viewer !== undefined) viewer.remoteAddr = remoteAddr;
            report({ kind: 'webrtc-connected', role: 'viewer', outputId, remoteAddr });
            requestKeyFrame();
          },
          ended: ({ reason, wasConnected }) => this.#onEnded(id, reason, wasConnected),
          packet: () => undefined,
          keyFrameWanted: requestKeyFrame,
        },
      },
      {
        role: 'sends',
        tracks,
        h264: offer?.h264 ?? null,
        publicIp: this.#settings.publicIp,
        stunServer: null,
      },
    );
  }

  #onEnded(id: string, reason: string, wasConnected: boolean): void {
    const viewer = this.#viewers.get(id);
    if (viewer === undefined || !this.#viewers.delete(id) || this.#stopped) return;
    const { report } = this.#dependencies;
    const { remoteAddr } = viewer;
    if (wasConnected) {
      report({ kind: 'webrtc-disconnected', role: 'viewer', outputId: this.#settings.id, remoteAddr, reason });
    } else this.#failed(reason);
  }

  #failed(error: string): void {
    const { pulse, report } = this.#dependencies;
    if (!this.#failures.isNews(pulse.nowUs, error)) return;
    report({ kind: 'webrtc-failed', outputId: this.#settings.id, error, attempts: 1 });
  }

  #send({ kind, payload, timestamp, marker, startsKey }: FeedPacket): void {
    const { nowUs } = this.#dependencies.pulse;
    for (const viewer of this.#viewers.values()) {
      if (!viewer.session.isConnected) continue;
      viewer.hasStarted ||= startsKey;
      if (!viewer.hasStarted) continue;
      viewer.session.send(kind, payload, timestamp, marker);
      this.#meter.add(nowUs, payload.length);
    }
  }
}
