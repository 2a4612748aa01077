import { errorMessage } from '../../lib/app-error.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { RtcSession, type RtcPacket, type RtcSettings } from '../webrtc/rtc-session.ts';
import { urlForPeople } from '../../lib/url-for-people.ts';
import { deleteResource, postOffer, RefusedOffer, type Endpoint } from '../webrtc/signalling.ts';

export interface RtcDiallerObserver {
  /** `attempts` failed before, since the last connection. */
  connected(remoteAddr: string, attempts: number): void;
  disconnected(remoteAddr: string, reason: string): void;
  /** The first failure of a cycle. */
  failed(error: string): void;
  packet(packet: RtcPacket): void;
  keyFrameWanted(): void;
}

export interface RtcDiallerDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: RtcDiallerObserver;
}

export interface RtcDiallerSettings {
  readonly endpoint: Endpoint;
  readonly role: RtcSettings['role'];
  /** Without sound, also in the offer. */
  readonly videoOnly: boolean;
}

const retry = { initialMs: 1000, maxMs: 30_000, jitterRatio: 0.1 };

/** Keeps one session with a WHIP or WHEP server: dials, and dials again after every end. */
export class RtcDialler {
  readonly #dependencies: RtcDiallerDependencies;
  readonly #settings: RtcDiallerSettings;
  readonly #retry: Backoff;
  #session: RtcSession | null = null;
  #resource: string | null = null;
  #remoteAddr = '';
  #timer: Timer | null = null;
  #attempts = 0;
  #stopped = false;

  constructor(dependencies: RtcDiallerDependencies, settings: RtcDiallerSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#retry = new Backoff(dependencies.random, retry);
  }

  get isConnected(): boolean {
    return this.#session?.isConnected === true;
  }

  /** Empty while there is no connection. */
  get remoteAddr(): string {
    return this.isConnected ? this.#remoteAddr : '';
  }

  get session(): RtcSession | null {
    return this.#session;
  }

  /** Dials; goes on in the background. */
  start(): void {
    void this.#dial();
  }

  /** Idempotent. Ends the session at the server; nothing is reported from here on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const session = this.#session;
    this.#session = null;
    await session?.close();
    await this.#leave();
  }

  async #dial(): Promise<void> {
    try {
      await this.#attempt(this.#settings.videoOnly);
    } catch (cause) {
      // A server without sound may refuse an offer with it.
      const retries = cause instanceof RefusedOffer && isClientError(cause.status) && !this.#settings.videoOnly;
      if (!retries || this.#settings.role === 'sends') this.#onFailed(errorMessage(cause));
      else await this.#attempt(true).catch((again: unknown) => this.#onFailed(errorMessage(again)));
    }
  }

  async #attempt(videoOnly: boolean): Promise<void> {
    const { endpoint, role } = this.#settings;
    const session: RtcSession = new RtcSession(
      {
        clock: this.#dependencies.clock,
        observer: {
          connected: (remoteAddr) => this.#onConnected(remoteAddr),
          ended: ({ reason, wasConnected }) => this.#onEnded(session, reason, wasConnected),
          packet: (packet) => this.#dependencies.observer.packet(packet),
          keyFrameWanted: () => this.#dependencies.observer.keyFrameWanted(),
        },
      },
      { role, tracks: videoOnly ? ['video'] : ['video', 'audio'], h264: null, publicIp: null, stunServer: null },
    );
    this.#session = session;
    try {
      const { answer, resource } = await postOffer(endpoint, await session.offer());
      this.#resource = resource;
      if (this.#stopped) await this.#leave();
      else await session.accept(answer);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  #onConnected(remoteAddr: string): void {
    this.#remoteAddr = remoteAddr;
    const attempts = this.#attempts;
    this.#attempts = 0;
    this.#retry.reset();
    this.#dependencies.observer.connected(remoteAddr, attempts);
  }

  #onEnded(session: RtcSession, reason: string, wasConnected: boolean): void {
    if (session !== this.#session || this.#stopped) return;
    if (!wasConnected) {
      this.#onFailed(`${urlForPeople(this.#settings.endpoint.url)}: ${reason}`);
      return;
    }
    // A publisher's end is its first failure: there is no event for it alone.
    this.#attempts = this.#settings.role === 'sends' ? 1 : 0;
    this.#dependencies.observer.disconnected(this.#remoteAddr, reason);
    void this.#leave();
    this.#dialLater();
  }

  #onFailed(error: string): void {
    if (this.#stopped) return;
    this.#attempts++;
    if (this.#attempts === 1) this.#dependencies.observer.failed(error);
    void this.#leave();
    this.#dialLater();
  }

  #dialLater(): void {
    this.#timer?.cancel();
    this.#timer = this.#dependencies.clock.setTimeout(() => void this.#dial(), this.#retry.nextDelayMs());
  }

  /** Gives the place at the server back. */
  async #leave(): Promise<void> {
    const resource = this.#resource;
    this.#resource = null;
    if (resource !== null) await deleteResource(this.#settings.endpoint, resource);
  }
}

function isClientError(status: number): boolean {
  return status >= 400 && status < 500;
}
