import { toPathReport } from '../../admin/path-report.ts';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { Backoff } from '../../lib/backoff.ts';
import { formatHostPort } from '../../lib/host-port.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { ConfiguredVerification } from '../../quic/peer-verification.ts';
import type { QuicConnection, QuicStream } from '../../quic/types.ts';
import type { EdgeRelayReport } from '../admin/edge-schemas.ts';
import { BindOutcome, type RelayChange } from './bind-outcome.ts';
import type { BindingSettings } from './binding.ts';
import { Liveness } from './liveness.ts';
import { noAnswer, noProof, RelayConnection, type RelayConnectionEnd } from './relay-connection.ts';
import { RelayDialler, type RelayDiallerDependencies, type RelayDiallerSettings } from './relay-dialler.ts';

/** What a client reports to its tunnel. None of the calls may throw. */
export interface RelayClientObserver {
  onChange(change: RelayChange, client: RelayClient): void;
  onDataStream(stream: QuicStream, from: RelayConnection): void;
  onDatagram(datagram: Uint8Array): void;
  onLateDatagram(): void;
  /** It is established, and nothing was sent over it yet. */
  onConnectionStart(connection: RelayConnection, quic: QuicConnection): void;
  /** Streams of this connection are over; no callback follows. */
  onConnectionEnd(connection: RelayConnection): void;
}

export interface RelayClientDependencies extends RelayDiallerDependencies {
  readonly random: Random;
  readonly logger: Logger;
  readonly observer: RelayClientObserver;
}

export interface RelayClientSettings extends RelayDiallerSettings {
  readonly binding: BindingSettings;
  /** How often `sample` is called. */
  readonly samplePeriodMs: number;
}

/** `down`: the relay refused, or gave the leg to another connection. */
export type RelayState = 'connecting' | 'waiting' | 'ready' | 'down' | 'stopped';

const backoffSettings = { initialMs: 1000, maxMs: 60_000, jitterRatio: 0.25 };
/** After a connection that had been bound; spread, so that a relay's restart brings no herd. */
const pauseAfterLossMs = 1000;
/** While another edge has the leg: this one is back within 10 s of the other one's end. */
const longestPauseForLegMs = 6000;

/** Keeps one tunnel bound at one relay: dials, binds, waits, dials again. */
export class RelayClient {
  readonly relayAddr: string;
  readonly #dependencies: RelayClientDependencies;
  readonly #settings: RelayClientSettings;
  readonly #dialler: RelayDialler;
  readonly #backoff: Backoff;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #outcome = new BindOutcome();
  #connection: RelayConnection | null = null;
  #liveness: Liveness | null = null;
  #suspect = false;
  /** Still so when that ended the connection, until something is known of the way again. */
  #oneWay = false;
  #peerTroubles: readonly string[] = [];
  #running: Promise<void> | null = null;

  constructor(dependencies: RelayClientDependencies, settings: RelayClientSettings) {
    this.relayAddr = formatHostPort(settings.relay);
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#dialler = new RelayDialler(dependencies, settings);
    this.#backoff = new Backoff(dependencies.random, backoffSettings);
    this.#logger = dependencies.logger.child({ relay_addr: this.relayAddr });
  }

  /** How the relay proves itself from the next connection on; the one that is there goes on. */
  trust(verification: ConfiguredVerification): void {
    this.#dialler.trust(verification);
  }

  /** The connection while it is established. */
  get connection(): RelayConnection | null {
    return this.#connection;
  }

  get ready(): boolean {
    return this.#connection?.ready === true;
  }

  /** Ready, but the relay has stopped acknowledging (see `Liveness`). */
  get suspect(): boolean {
    return this.#suspect;
  }

  /** What is wrong at the other edge's end, as that edge reports it. */
  get peerTroubles(): readonly string[] {
    return this.ready ? this.#peerTroubles : [];
  }

  get state(): RelayState {
    if (this.#running === null || this.#stopping.signal.aborted) return 'stopped';
    switch (this.#connection?.phase) {
      case 'ready':
      case 'waiting':
        return this.#connection.phase;
      case 'replaced':
        return 'down';
      default:
        return this.#outcome.refused ? 'down' : 'connecting';
    }
  }

  /** How the relay is, for people. */
  report(): EdgeRelayReport {
    const stats = this.#connection?.stats() ?? null;
    return {
      relay_addr: this.relayAddr,
      state: this.state,
      suspect: this.#suspect,
      one_way: this.#oneWay,
      last_problem: this.#outcome.lastProblem,
      path: stats === null ? null : toPathReport(stats),
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Idempotent; resolves when the connection is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#connection?.stop();
    await this.#running;
  }

  /**
   * Looks at the traffic; to be called every `samplePeriodMs`. A relay that is silent for `patienceMs` is dialled anew.
   */
  sample(nowMs: number, patienceMs: number): void {
    const connection = this.#connection;
    if (connection === null) return;
    const activity = connection.activity;
    this.#liveness ??= new Liveness(nowMs, this.#settings.samplePeriodMs);
    if (!this.#liveness.isDue(nowMs, activity.sent)) return;
    const stats = connection.stats();
    const verdict = this.#liveness.observe(nowMs, {
      ...activity,
      received: activity.received + (stats?.packetsReceived ?? 0),
      rttMs: stats?.rttMs ?? null,
    });
    this.#suspect = verdict.suspect;
    this.#oneWay = verdict.oneWay;
    if (verdict.silentMs >= patienceMs) connection.giveUp(verdict.oneWay ? noProof : noAnswer);
    else if (verdict.probe) connection.ping();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const end = await this.#attempt();
      if (end.kind === 'stopped') return;
      const heldBefore = end.kind === 'lost' && end.held;
      this.#reportEnd(end);
      const spread = 0.75 + this.#dependencies.random.float() / 2;
      await this.#pause(heldBefore ? Math.round(pauseAfterLossMs * spread) : this.#nextDelayMs());
    }
  }

  #nextDelayMs(): number {
    const delayMs = this.#backoff.nextDelayMs();
    return this.#outcome.yields ? Math.min(delayMs, longestPauseForLegMs) : delayMs;
  }

  /** One connection from dialling to its end. */
  async #attempt(): Promise<RelayConnectionEnd> {
    const ended = Promise.withResolvers<RelayConnectionEnd>();
    const { clock, observer } = this.#dependencies;
    const relayConnection: RelayConnection = new RelayConnection(
      {
        clock,
        logger: this.#logger,
        observer: {
          onBound: (peer) => this.#onBound(peer),
          onPeerGone: (reason) => this.#onPeerGone(reason),
          onPeerTroubles: (troubles) => {
            this.#peerTroubles = troubles;
          },
          onReplaced: (reason, canClaim) => this.#report(this.#outcome.replaced(reason, canClaim)),
          onTaken: (reason) => this.#reportOnce(this.#outcome.refusedFor(reason), reason),
          onDataStream: (stream, from) => observer.onDataStream(stream, from),
          onDatagram: (datagram) => observer.onDatagram(datagram),
          onLateDatagram: () => observer.onLateDatagram(),
          onEnd: ended.resolve,
        },
      },
      this.#settings.binding,
      this.#outcome.yields ? 'if-free' : 'take',
    );
    try {
      const connection = await this.#dialler.dial(relayConnection, this.#stopping.signal);
      this.#connection = relayConnection;
      this.#oneWay = false;
      observer.onConnectionStart(relayConnection, connection);
      relayConnection.open(connection);
      if (this.#stopping.signal.aborted) relayConnection.stop();
    } catch (error) {
      // Silence is what a blocked way out brings; anything else is news.
      if (!(error instanceof AppError && error.code === 'timed-out')) this.#oneWay = false;
      return this.#stopping.signal.aborted
        ? { kind: 'stopped' }
        : { kind: 'lost', held: false, reason: errorMessage(error) };
    }
    const end = await ended.promise;
    this.#oneWay = end.kind === 'lost' && end.reason === noProof;
    this.#forgetConnection(relayConnection);
    return end;
  }

  #forgetConnection(connection: RelayConnection): void {
    this.#connection = null;
    this.#peerTroubles = [];
    this.#liveness = null;
    this.#suspect = false;
    this.#dependencies.observer.onConnectionEnd(connection);
  }

  #onBound(peer: 'absent' | 'present'): void {
    this.#backoff.reset();
    if (peer === 'absent') this.#peerTroubles = [];
    this.#report(this.#outcome.bound(peer));
  }

  #onPeerGone(reason: string): void {
    this.#peerTroubles = [];
    this.#report({ kind: 'peer-gone', reason });
  }

  /** `change` is null where the same was reported already. */
  #reportOnce(change: RelayChange | null, reason: string): void {
    if (change === null) this.#logger.debug({ reason }, 'relay attempt failed again');
    else this.#report(change);
  }

  #reportEnd(end: Exclude<RelayConnectionEnd, { kind: 'stopped' }>): void {
    const change = this.#outcome.ended(end);
    if (end.kind === 'lost' && end.held) {
      if (change !== null) this.#report(change);
      return;
    }
    this.#reportOnce(change, end.reason);
  }

  #report(change: RelayChange): void {
    this.#dependencies.observer.onChange(change, this);
  }

  /** Ends early when stopping. */
  #pause(durationMs: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.#dependencies.clock.setTimeout(finish, durationMs);
      signal.addEventListener('abort', finish);
    });
  }
}
