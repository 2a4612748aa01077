import type { WebSocket } from 'ws';
import type { Clock } from '../../lib/clock.ts';
import type { AuthRequest, NodeFrame } from './node-frame.ts';
import type { NodeChannel } from './live-node.ts';
import { Session, type SessionAction, type SessionInput } from './session.ts';

export interface SessionOwner {
  authenticate(runner: SessionRunner, request: AuthRequest): void;
  received(runner: SessionRunner, frame: NodeFrame): void;
  /** The pong is due when everything that came before is kept. */
  pinged(runner: SessionRunner, pong: () => void): void;
  refused(runner: SessionRunner, reason: string): void;
  ended(runner: SessionRunner, reason: string): void;
}

const pingEveryMs = 15_000;
const silentMs = 45_000;
const maxPausedMs = 40_000;
/** What our nodes' outbox begins its pings with. */
const heldPing = 'events-';

/** Owns the socket of one session. */
export class SessionRunner implements NodeChannel {
  readonly remoteAddr: string;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #owner: SessionOwner;
  readonly #session = new Session();
  readonly #maxBufferedBytes: number;
  readonly #openedAtMs: number;
  #lastActiveAtMs: number;
  #pingedAtMs: number;
  #pausedAtMs: number | null = null;
  #ended = false;
  #reason: string | null = null;

  constructor(
    socket: WebSocket,
    { clock, owner }: { clock: Clock; owner: SessionOwner },
    { remoteAddr, maxBufferedBytes }: { remoteAddr: string; maxBufferedBytes: number },
  ) {
    this.remoteAddr = remoteAddr;
    this.#socket = socket;
    this.#clock = clock;
    this.#owner = owner;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#openedAtMs = clock.monotonicMs();
    this.#lastActiveAtMs = this.#openedAtMs;
    this.#pingedAtMs = this.#openedAtMs;
    socket.on('message', (data, isBinary) => {
      this.#noteActivity();
      this.#take(isBinary ? { kind: 'binary' } : { kind: 'text', bytes: data as Buffer });
    });
    socket.on('ping', (data) => this.#pinged(data));
    socket.on('pong', () => this.#noteActivity());
    socket.on('error', (error) => {
      this.#reason ??= error.message;
    });
    socket.on('close', (code, reason) => this.#end(this.#reason ?? closeText(code, reason.toString())));
  }

  get isAuthenticated(): boolean {
    return this.#session.isAuthenticated;
  }

  get isOpen(): boolean {
    return !this.#ended && this.#socket.readyState === this.#socket.OPEN;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  accept(registered: { readonly node_id: string; readonly node_secret: string } | null): void {
    this.#take({ kind: 'accepted', registered });
  }

  refuse(reason: string): void {
    this.#take({ kind: 'refused', reason });
  }

  unavailable(): void {
    this.#take({ kind: 'unavailable' });
  }

  send(frame: string): void {
    if (this.isOpen) this.#socket.send(frame, () => undefined);
  }

  close(code: number, reason: string): void {
    this.#reason ??= reason;
    this.#socket.close(code, reason);
  }

  /** Reads nothing until `resume`; such time is no silence. */
  pause(): void {
    if (this.#pausedAtMs !== null || !this.isOpen) return;
    this.#pausedAtMs = this.#clock.monotonicMs();
    this.#socket.pause();
  }

  resume(): void {
    if (this.#pausedAtMs === null) return;
    this.#pausedAtMs = null;
    this.#noteActivity();
    this.#socket.resume();
  }

  /** Once a second. */
  tick(nowMs: number): void {
    if (this.#ended) return;
    if (!this.isAuthenticated) {
      this.#take({ kind: 'time', waitedMs: nowMs - this.#openedAtMs });
      return;
    }
    if (this.#pausedAtMs !== null) {
      if (nowMs - this.#pausedAtMs >= maxPausedMs) this.close(1013, 'events cannot be stored');
    } else if (nowMs - this.#lastActiveAtMs >= silentMs) {
      this.#terminate('silent for 45 s');
    }
    if (this.bufferedBytes > this.#maxBufferedBytes) this.#terminate('slow node');
    if (nowMs - this.#pingedAtMs < pingEveryMs || !this.isOpen) return;
    this.#pingedAtMs = nowMs;
    this.#socket.ping(undefined, false, () => undefined);
  }

  #noteActivity(): void {
    this.#lastActiveAtMs = this.#clock.monotonicMs();
  }

  #pinged(data: Buffer): void {
    this.#noteActivity();
    const pong = (): void => {
      if (this.isOpen) this.#socket.pong(data, false, () => undefined);
    };
    if (this.isAuthenticated && data.toString('latin1').startsWith(heldPing)) this.#owner.pinged(this, pong);
    else pong();
  }

  #terminate(reason: string): void {
    this.#reason ??= reason;
    this.#socket.terminate();
  }

  #take(input: SessionInput): void {
    for (const action of this.#session.take(input, this.#clock.now())) this.#carryOut(action);
  }

  #carryOut(action: SessionAction): void {
    switch (action.kind) {
      case 'authenticate':
        this.#owner.authenticate(this, action.request);
        return;
      case 'send':
        this.send(action.frame);
        return;
      case 'frame':
        this.#owner.received(this, action.frame);
        return;
      case 'refusal':
        this.#owner.refused(this, action.reason);
        return;
      case 'close':
        if (action.afterMs === 0) this.close(action.code, action.reason);
        else this.#clock.setTimeout(() => this.close(action.code, action.reason), action.afterMs);
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.ended(this, reason);
  }
}

function closeText(code: number, reason: string): string {
  if (reason !== '') return reason;
  return code === 1006 ? 'connection lost' : `closed with code ${code}`;
}
