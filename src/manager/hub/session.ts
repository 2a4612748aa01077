import { rfc3339 } from '../../lib/clock.ts';
import { readAuth, readFrame, type AuthRequest, type NodeFrame } from './node-frame.ts';

export type SessionInput =
  /** UTF-8; of use during the call only. */
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'binary' }
  | {
      readonly kind: 'accepted';
      readonly registered: { readonly node_id: string; readonly node_secret: string } | null;
    }
  | { readonly kind: 'refused'; readonly reason: string }
  /** The database is away: saying no would be a lie. */
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'time'; readonly waitedMs: number };

export type SessionAction =
  | { readonly kind: 'authenticate'; readonly request: AuthRequest }
  | { readonly kind: 'send'; readonly frame: string }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string; readonly afterMs: number }
  | { readonly kind: 'frame'; readonly frame: NodeFrame }
  | { readonly kind: 'refusal'; readonly reason: string };

const authDeadlineMs = 10_000;
/** Old clients read all frames before they notice the close. */
const lingerMs = 500;
const closeAuth = 4001;
const closeTryAgain = 1013;

/**
 * The conversation with one node on one socket: which messages are allowed when, and when it ends. No socket, no clock.
 */
export class Session {
  #phase: 'awaiting-auth' | 'authenticating' | 'live' | 'closing' = 'awaiting-auth';

  /** What has not proved anything yet counts against a limit. */
  get isAuthenticated(): boolean {
    return this.#phase === 'live';
  }

  take(input: SessionInput, nowMs: number): SessionAction[] {
    switch (input.kind) {
      case 'text':
        return this.#text(input.bytes, nowMs);
      case 'binary':
        return this.#binary(nowMs);
      case 'accepted':
        return this.#accept(input.registered, nowMs);
      case 'refused':
        return this.#phase === 'authenticating' ? this.#refuse(input.reason, nowMs) : [];
      case 'unavailable':
        return this.#phase === 'closing' ? [] : this.#close(closeTryAgain, 'try again later', 0);
      case 'time':
        return this.#time(input.waitedMs, nowMs);
    }
  }

  #binary(nowMs: number): SessionAction[] {
    if (this.#phase === 'awaiting-auth') return this.#refuse('First message must be a text auth frame', nowMs);
    return this.#phase === 'live' ? this.#close(1003, 'binary frame', 0) : [];
  }

  #accept(registered: object | null, nowMs: number): SessionAction[] {
    if (this.#phase !== 'authenticating') return [];
    this.#phase = 'live';
    const [type, payload] = registered === null ? ['auth_ok', {}] : ['register_ack', registered];
    return [{ kind: 'send', frame: JSON.stringify({ type, timestamp: rfc3339(nowMs), payload }) }];
  }

  #time(waitedMs: number, nowMs: number): SessionAction[] {
    const late = this.#phase === 'awaiting-auth' && waitedMs >= authDeadlineMs;
    return late ? this.#refuse('Auth timeout (10s)', nowMs) : [];
  }

  #text(bytes: Buffer, nowMs: number): SessionAction[] {
    if (this.#phase === 'live') return [{ kind: 'frame', frame: readFrame(bytes) }];
    // Frames that come before the answer to `auth` are dropped: a node that waits sends none.
    if (this.#phase !== 'awaiting-auth') return [];
    const auth = readAuth(bytes.toString());
    if (auth.kind === 'refused') return this.#refuse(auth.reason, nowMs);
    this.#phase = 'authenticating';
    return [{ kind: 'authenticate', request: auth.request }];
  }

  #refuse(reason: string, nowMs: number): SessionAction[] {
    const body = { type: 'auth_error', timestamp: rfc3339(nowMs), message: reason, payload: { error: reason } };
    const send = { kind: 'send', frame: JSON.stringify(body) } as const;
    return [send, { kind: 'refusal', reason }, ...this.#close(closeAuth, 'auth failed', lingerMs)];
  }

  #close(code: number, reason: string, afterMs: number): SessionAction[] {
    this.#phase = 'closing';
    return [{ kind: 'close', code, reason, afterMs }];
  }
}
