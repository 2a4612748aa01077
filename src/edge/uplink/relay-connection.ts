import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { CLOSE_CODE, closeReason } from '../../protocol/tunnel/close-code.ts';
import { encodeEdgeMessage, type EdgeMessage } from '../../protocol/tunnel/control-message.ts';
import { CLAIM_INTERVAL_MS, HELLO_ACK_WAIT_MS, PING_INTERVAL_MS } from '../../protocol/tunnel/limits.ts';
import type { CloseInfo, ConnectionStats } from '../../quic/connection-report.ts';
import type {
  ConnectionHandler,
  DatagramSendResult,
  Ledger,
  QuicConnection,
  QuicStream,
  SocketAddress,
} from '../../quic/types.ts';
import { Binding, type BindingPhase, type BindingSettings, type BindingStep, type BindManner } from './binding.ts';
import type { TrafficSample } from './liveness.ts';
import { readRelayMessages } from './relay-messages.ts';

/** What a connection reports to its owner. None of the calls may throw. */
export interface RelayConnectionObserver {
  onBound(peer: 'absent' | 'present'): void;
  onPeerGone(reason: string): void;
  /** What is wrong at the other edge's end now. */
  onPeerTroubles(troubles: readonly string[]): void;
  /** Another connection has our leg now. `canClaim`: this one asks for it until it is free. */
  onReplaced(reason: string, canClaim: boolean): void;
  /** Another connection had the leg before. This one asks for it until it is free. */
  onTaken(reason: string): void;
  /** The relay opened a data stream. Unread bytes wait; set its handler before returning. */
  onDataStream(stream: QuicStream, from: RelayConnection): void;
  /** `datagram` is valid only during the call. */
  onDatagram(datagram: Uint8Array): void;
  /** A datagram came that had grown too old in this process. */
  onLateDatagram(): void;
  /** Exactly once, last. */
  onEnd(end: RelayConnectionEnd): void;
}

/** How a connection ended; `held`: the relay had taken the bind. */
export type RelayConnectionEnd =
  | { readonly kind: 'lost'; readonly held: boolean; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'stopped' };

export interface RelayConnectionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: RelayConnectionObserver;
}

/** Why a connection to a silent relay ended, whoever noticed first. */
export const noAnswer = 'the relay no longer answers';
/** Why a connection ended over which packets still came. */
export const noProof = 'the relay does not get what is sent to it';

/** Runs a `Binding` on one QUIC connection to a relay: control stream, uni streams, pings, and the way out for data. */
export class RelayConnection implements ConnectionHandler {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #observer: RelayConnectionObserver;
  readonly #binding: Binding;
  #connection: QuicConnection | null = null;
  #control: QuicStream | null = null;
  #helloTimer: Timer | null = null;
  #pingTimer: Timer | null = null;
  #claimTimer: Timer | null = null;
  /** Why we closed; null while we have not. */
  #end: RelayConnectionEnd | null = null;
  #ended = false;
  #sent = 0;
  #received = 0;
  #pings = 0;
  #pongs = 0;

  constructor(dependencies: RelayConnectionDependencies, settings: BindingSettings, manner: BindManner) {
    this.#clock = dependencies.clock;
    this.#logger = dependencies.logger;
    this.#observer = dependencies.observer;
    this.#binding = new Binding(settings, manner);
  }

  get phase(): BindingPhase {
    return this.#binding.phase;
  }

  /** Ready, and its connection has not ended. */
  get ready(): boolean {
    return this.#binding.phase === 'ready' && !this.#ended;
  }

  /** What this end sent and received, in whole calls, and pings with their answers; all only grow. */
  get activity(): Pick<TrafficSample, 'sent' | 'received' | 'pings' | 'pongs'> {
    return {
      sent: this.#sent + (this.#connection?.localSends ?? 0),
      received: this.#received,
      pings: this.#pings,
      pongs: this.#pongs,
    };
  }

  stats(): ConnectionStats | null {
    return this.#connection?.stats() ?? null;
  }

  /** To be called once the connection is established. */
  open(connection: QuicConnection): void {
    if (this.#ended) return;
    this.#connection = connection;
    const control = connection.openBidi();
    if (control === null) {
      this.#close({ kind: 'lost', held: false, reason: 'the relay grants no control stream' });
      return;
    }
    this.#control = control;
    this.#readMessages(control, () => this.#close(this.#lost('the relay ended the control stream')));
    this.#run(this.#binding.open());
  }

  /** Sends one datagram, prefix and all, and counts it in `ledger`. */
  sendDatagram(datagram: Uint8Array, ledger: Ledger | null): DatagramSendResult {
    const result = this.#connection?.sendDatagram(datagram, ledger) ?? 'closed';
    // What was not sent brings no acknowledgement, so silence after it proves nothing.
    if (result === 'queued' || result === 'queue_full') this.#sent++;
    return result;
  }

  /** Sends this end's troubles to the other edge. Does nothing when they are unchanged or the relay forwards none. */
  tellTroubles(troubles: readonly string[]): void {
    this.#run(this.#binding.tellTroubles(troubles));
  }

  /** A stream for data; null when the relay grants none now. */
  openStream(): QuicStream | null {
    return this.#connection?.openBidi() ?? null;
  }

  /** Stream bytes were written. */
  noteSent(): void {
    this.#sent++;
  }

  /** Sends a ping to the relay. */
  ping(): void {
    this.#pings++;
    this.#send({ type: 'ping' });
  }

  /** Ends a connection that is of no more use; `onEnd` follows. */
  giveUp(reason: string): void {
    this.#close(this.#lost(reason));
  }

  /** Ends the connection; `onEnd` follows. Idempotent. */
  stop(): void {
    this.#close({ kind: 'stopped' });
  }

  onStream(stream: QuicStream): void {
    this.#received++;
    if (stream.bidirectional) this.#observer.onDataStream(stream, this);
    else this.#readMessages(stream, () => undefined);
  }

  onDatagram(payload: Uint8Array): void {
    this.#received++;
    this.#observer.onDatagram(payload);
  }

  onLateDatagram(): void {
    this.#received++;
    this.#observer.onLateDatagram();
  }

  onAddressChange(remote: SocketAddress): void {
    this.#logger.debug({ remote }, 'relay address changed');
  }

  onClosed(info: CloseInfo): void {
    this.#ended = true;
    this.#helloTimer?.cancel();
    this.#pingTimer?.cancel();
    this.#claimTimer?.cancel();
    this.#observer.onEnd(this.#end ?? this.#lost(describeClose(info)));
  }

  #lost(reason: string): RelayConnectionEnd {
    return { kind: 'lost', held: this.#binding.held, reason };
  }

  #close(end: RelayConnectionEnd): void {
    this.#end ??= end;
    this.#connection?.close(CLOSE_CODE, end.kind === 'stopped' ? closeReason.edgeShuttingDown : end.reason);
  }

  #run(steps: readonly BindingStep[]): void {
    for (const step of steps) this.#apply(step);
  }

  #apply(step: BindingStep): void {
    switch (step.kind) {
      case 'send':
        this.#send(step.message);
        break;
      case 'await-hello-ack':
        this.#helloTimer = this.#clock.setTimeout(() => this.#run(this.#binding.helloAckOverdue()), HELLO_ACK_WAIT_MS);
        break;
      case 'bound':
        this.#onBound(step.peer);
        break;
      case 'peer-gone':
        this.#observer.onPeerGone(step.reason);
        break;
      case 'peer-troubles':
        this.#observer.onPeerTroubles(step.troubles);
        break;
      case 'replaced':
      case 'taken':
        this.#leaveLeg(step);
        break;
      case 'refused':
        this.#close({ kind: 'refused', reason: step.reason });
        break;
      case 'no-challenge':
        this.#close({
          kind: 'lost',
          held: false,
          reason: 'the relay asks for no bind proof, and require_bind_proof is set',
        });
        break;
      case 'ended':
        this.#close(this.#lost(step.reason));
        break;
    }
  }

  #onBound(peer: 'absent' | 'present'): void {
    this.#claimTimer?.cancel();
    if (peer === 'present') this.#startPings();
    this.#observer.onBound(peer);
  }

  #leaveLeg(step: Extract<BindingStep, { kind: 'replaced' | 'taken' }>): void {
    if (step.kind === 'taken' || step.canClaim) {
      this.#claimTimer?.cancel();
      this.#claimTimer = this.#clock.setInterval(() => this.#run(this.#binding.claim()), CLAIM_INTERVAL_MS);
    }
    if (step.kind === 'taken') this.#observer.onTaken(step.reason);
    else this.#observer.onReplaced(step.reason, step.canClaim);
  }

  /** The first ping right after ready, then at the contract's pace. */
  #startPings(): void {
    if (this.#pingTimer !== null) return;
    this.ping();
    this.#pingTimer = this.#clock.setInterval(() => this.ping(), PING_INTERVAL_MS);
  }

  #send(message: EdgeMessage): void {
    if (this.#control === null || this.#ended) return;
    this.#sent++;
    this.#control.write(encodeEdgeMessage(message));
  }

  #readMessages(stream: QuicStream, onEnd: () => void): void {
    readRelayMessages(stream, this.#logger, {
      onHeard: () => {
        this.#received++;
      },
      onMessage: (message) => {
        if (message.type === 'pong') this.#pongs++;
        this.#run(this.#binding.receive(message));
      },
      onEnd,
    });
  }
}

/** Why a connection ended, for people. */
function describeClose(info: CloseInfo): string {
  switch (info.kind) {
    case 'idle':
      return noAnswer;
    case 'reset':
      return 'the relay does not know the connection any more (restarted)';
    case 'peer-application':
      return info.reason === '' ? 'closed by the relay' : info.reason;
    case 'local':
    case 'peer-transport':
    case 'error':
    case 'budget':
      return info.reason === '' ? info.kind : info.reason;
  }
}
