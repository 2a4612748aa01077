import { errorMessage } from '../../lib/app-error.ts';
import { rfc3339, type Clock, type Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { NODE_ANSWER_DEADLINE_MS } from '../../protocol/node/limits.ts';
import {
  encodeAuth,
  encodeNodeMessage,
  parseManagerMessage,
  type ManagerCommand,
  type ManagerMessage,
  type NodeCredentials,
  type NodeIntroduction,
} from '../../protocol/node/node-message.ts';
import type { CertificateCheck } from './certificate-check.ts';
import type { ManagerDialler, ManagerSocket } from './manager-socket.ts';

export interface LinkAttemptDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialler: ManagerDialler;
  readonly owner: LinkAttemptOwner;
}

export interface LinkAttemptSettings extends NodeIntroduction {
  readonly url: string;
  readonly check: Exclude<CertificateCheck, { kind: 'refused' }>;
  readonly credentials: NodeCredentials;
}

export type AttemptResult =
  | { readonly end: 'refused'; readonly reason: string }
  | { readonly end: 'failed'; readonly error: string }
  | { readonly end: 'lost'; readonly error: string | null };

/** The starter of the attempt. Nothing is called after `ended`, which comes exactly once. */
export interface LinkAttemptOwner {
  /** Stores the node's secret. The registration token is spent now, so nothing else comes first. Never rejects. */
  registered(nodeId: string, nodeSecret: string): Promise<void>;
  authenticated(): void;
  /** `size` is the length of the frame it came in. */
  command(command: ManagerCommand, size: number): void;
  /** A pong for a `ping` of the owner. */
  ponged(payload: string): void;
  ended(result: AttemptResult): void;
}

/** DNS, TCP, TLS and upgrade together. */
const connectDeadlineMs = 10_000;
/** For the disk; the credentials are in memory then, and the next attempt uses them. */
const storeDeadlineMs = 10_000;
const pingIntervalMs = 15_000;
const silenceLimitMs = 45_000;
const keepAlive = 'keep-alive';

type Phase = 'connecting' | 'authenticating' | 'registering' | 'online' | 'ending';

/** One connection to a manager from dialling to its end: the deadlines, the auth exchange, pings. Used once. */
export class LinkAttempt {
  readonly #dependencies: LinkAttemptDependencies;
  readonly #settings: LinkAttemptSettings;
  #phase: Phase = 'connecting';
  #socket: ManagerSocket | null = null;
  #deadline: Timer | null = null;
  #pings: Timer | null = null;
  /** Why we end it ourselves; the socket's own reason counts otherwise. */
  #result: AttemptResult | null = null;
  #wasOnline = false;
  /** What arrived while credentials were being stored. */
  #held: string[] = [];
  #aliveAtMs = 0;
  /** When the oldest ping without a pong was sent. */
  #unansweredSinceMs: number | null = null;
  #paused = false;

  constructor(dependencies: LinkAttemptDependencies, settings: LinkAttemptSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  start(): void {
    this.#endAfter(connectDeadlineMs, `no connection within ${connectDeadlineMs / 1000} s`);
    const { dialler, clock } = this.#dependencies;
    try {
      this.#socket = dialler.dial(this.#settings.url, this.#settings.check, {
        opened: () => this.#opened(),
        received: (frame) => this.#received(frame),
        ponged: (payload) => this.#ponged(payload),
        alive: () => {
          this.#aliveAtMs = clock.monotonicMs();
        },
        closed: (error) => this.#closed(error),
      });
    } catch (error) {
      // An address that no socket can be made of; the next one may be better.
      this.#closed(errorMessage(error));
    }
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
  }

  send(frame: string): void {
    if (this.#phase === 'online') this.#socket?.send(frame);
  }

  /** Its pong proves that the manager's side has everything that was sent before. */
  ping(payload: string): void {
    if (this.#phase !== 'online') return;
    this.#unansweredSinceMs ??= this.#dependencies.clock.monotonicMs();
    this.#socket?.ping(payload);
  }

  pauseReading(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resumeReading(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // What we did not read is no silence of the manager's.
    this.#aliveAtMs = this.#dependencies.clock.monotonicMs();
    this.#unansweredSinceMs = null;
    this.#socket?.resume();
  }

  /** Says goodbye; `ended` follows. */
  close(): void {
    this.#end({ end: this.#wasOnline ? 'lost' : 'failed', error: 'node is stopping' });
  }

  /** Ends the connection without waiting for the manager; `ended` follows with this error. */
  abort(error: string): void {
    this.#result ??= { end: this.#wasOnline ? 'lost' : 'failed', error };
    this.#phase = 'ending';
    this.#socket?.terminate();
  }

  #opened(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'authenticating';
    this.#endAfter(NODE_ANSWER_DEADLINE_MS, `no answer to auth within ${NODE_ANSWER_DEADLINE_MS / 1000} s`);
    const { credentials } = this.#settings;
    this.#socket?.send(encodeAuth(credentials, this.#settings, this.#timestamp()));
  }

  #received(frame: string): void {
    switch (this.#phase) {
      case 'authenticating': {
        this.#answered(frame);
        return;
      }
      case 'registering':
        this.#held.push(frame);
        return;
      case 'online': {
        this.#receivedOnline(frame);
        return;
      }
      case 'connecting':
      case 'ending':
        return;
    }
  }

  #answered(frame: string): void {
    const parsed = parseManagerMessage(frame);
    if (parsed.kind !== 'message') {
      const what = parsed.kind === 'unknown' ? `a message of type ${parsed.type}` : parsed.reason;
      this.#end({ end: 'failed', error: `unexpected answer to auth: ${what}` });
      return;
    }
    this.#handleAnswer(parsed.message);
  }

  #handleAnswer(message: ManagerMessage): void {
    const registering = 'registration_token' in this.#settings.credentials;
    if (message.type === 'auth_error') {
      this.#end({ end: 'refused', reason: message.reason });
      return;
    }
    if (message.type === 'auth_ok' && !registering) {
      this.#goOnline();
      return;
    }
    if (message.type !== 'register_ack' || !registering) {
      this.#end({ end: 'failed', error: `unexpected answer to auth: a message of type ${message.type}` });
      return;
    }
    this.#phase = 'registering';
    this.#endAfter(storeDeadlineMs, `credentials were not stored within ${storeDeadlineMs / 1000} s`);
    this.pauseReading();
    void this.#dependencies.owner.registered(message.node_id, message.node_secret).then(() => {
      if (this.#phase !== 'registering') return;
      this.#goOnline();
      this.resumeReading();
      for (const frame of this.#held.splice(0)) this.#received(frame);
    });
  }

  #goOnline(): void {
    const { clock, owner } = this.#dependencies;
    this.#phase = 'online';
    this.#wasOnline = true;
    this.#aliveAtMs = clock.monotonicMs();
    this.#pings = clock.setInterval(() => this.ping(keepAlive), pingIntervalMs);
    this.#watchSilence();
    owner.authenticated();
  }

  #receivedOnline(frame: string): void {
    const { logger, owner } = this.#dependencies;
    const parsed = parseManagerMessage(frame);
    if (parsed.kind === 'malformed') logger.debug({ reason: parsed.reason }, 'manager sent a malformed message');
    else if (parsed.kind === 'unknown') logger.debug({ type: parsed.type }, 'manager sent an unknown message');
    else if (parsed.message.type === 'command') owner.command(parsed.message, frame.length);
    else if (parsed.message.type === 'ping') this.send(encodeNodeMessage('pong', null, this.#timestamp()));
  }

  #ponged(payload: string): void {
    this.#unansweredSinceMs = null;
    if (this.#phase === 'online' && payload !== keepAlive) this.#dependencies.owner.ponged(payload);
  }

  /** Sleeps until the limit could be reached at the earliest, and looks again. */
  #watchSilence(): void {
    const { clock } = this.#dependencies;
    const nowMs = clock.monotonicMs();
    const quietSinceMs = this.#paused ? nowMs : Math.min(this.#aliveAtMs, this.#unansweredSinceMs ?? nowMs);
    const restMs = quietSinceMs + silenceLimitMs - nowMs;
    if (restMs <= 0) {
      this.abort(`manager was silent for ${silenceLimitMs / 1000} s`);
      return;
    }
    this.#deadline?.cancel();
    this.#deadline = clock.setTimeout(() => this.#watchSilence(), restMs);
  }

  #endAfter(delayMs: number, error: string): void {
    this.#deadline?.cancel();
    this.#deadline = this.#dependencies.clock.setTimeout(() => this.abort(error), delayMs);
  }

  #end(result: AttemptResult): void {
    if (this.#phase === 'ending') return;
    this.#result = result;
    this.#phase = 'ending';
    this.#socket?.close(1000, 'done');
  }

  #closed(error: string | null): void {
    this.#phase = 'ending';
    this.#deadline?.cancel();
    this.#pings?.cancel();
    const own: AttemptResult = this.#wasOnline
      ? { end: 'lost', error }
      : { end: 'failed', error: error ?? 'the manager closed the connection' };
    this.#dependencies.owner.ended(this.#result ?? own);
  }

  #timestamp(): string {
    return rfc3339(this.#dependencies.clock.now());
  }
}
