import { CLOSE_CODE, closeReason, streamCode, type CloseReason } from '../../protocol/tunnel/close-code.ts';
import { parseEdgeMessage, type EdgeMessage, type MessageOf } from '../../protocol/tunnel/control-message.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../protocol/tunnel/limits.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import type { CloseInfo } from '../../quic/connection-report.ts';
import type { ConnectionHandler, QuicConnection, QuicStream, SocketAddress } from '../../quic/types.ts';
import { endStream } from '../../tunnel-wire/end-stream.ts';
import type { EventLimits } from '../events/event-limits.ts';
import type { EdgeRef } from '../events/relay-event.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import { toSessionId, type SessionId } from '../tunnels/session-id.ts';
import type { TunnelRegistry } from '../tunnels/tunnel-registry.ts';
import { closeWords } from './close-words.ts';
import { ControlStream, type ControlStreamSettings } from './control-stream.ts';
import type { BindAnswer, SessionAction, SessionNotice } from './session-action.ts';
import { Session, type SessionSettings } from './session.ts';
import { askForLife } from './sign-of-life.ts';
import type { BoardSession, ContestedBind, Switchboard } from './switchboard.ts';

type BindMessage = MessageOf<EdgeMessage, 'tunnel_bind'>;

export interface SessionRunnerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<EventLimits, 'emit'>;
  readonly switchboard: Switchboard;
  readonly forwarder: Pick<Forwarder, 'acceptStream' | 'sessionClosed'>;
  readonly registry: Pick<TunnelRegistry, 'heldBinds'>;
  /** The connection has ended; called once, last. */
  onClosed(session: SessionRunner): void;
}

export interface SessionRunnerSettings extends SessionSettings, ControlStreamSettings {}

/** QUIC numbers an edge's bidirectional streams 0, 4, 8 …; the first is the control stream. */
const controlStreamId = 0;

/**
 * Drives one session on one connection: reads frames, keeps its deadline, carries out its actions. Whatever goes wrong
 * in here ends this session and no other.
 */
export class SessionRunner implements ConnectionHandler, BoardSession {
  readonly id: SessionId;
  readonly connection: QuicConnection;
  readonly connectedAtMs: number;
  readonly #dependencies: SessionRunnerDependencies;
  readonly #settings: SessionRunnerSettings;
  readonly #session: Session;
  readonly #logger: Logger;
  #remote: SocketAddress;
  #control: ControlStream | null = null;
  #asking: Timer | null = null;
  #deadline: { readonly timer: Timer; readonly atMs: number } | null = null;

  constructor(
    connection: QuicConnection,
    dependencies: SessionRunnerDependencies,
    settings: SessionRunnerSettings,
    bindChallenge: string,
  ) {
    this.id = toSessionId(connection.id);
    this.connection = connection;
    this.connectedAtMs = dependencies.clock.now();
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#remote = connection.remote;
    this.#logger = dependencies.logger.child({ session: this.id });
    const { registry, clock } = dependencies;
    const sessionDependencies = { id: this.id, registry, remoteAddr: () => this.remoteAddr };
    this.#session = new Session(sessionDependencies, settings, bindChallenge, clock.monotonicMs());
    this.#armDeadline();
  }

  get bindChallenge(): string {
    return this.#session.bindChallenge;
  }

  get edgeId(): string | null {
    return this.#session.edgeId;
  }

  get protocolVersion(): number {
    return this.#session.protocolVersion;
  }

  get softwareVersion(): string | null {
    return this.#session.softwareVersion;
  }

  get remoteAddr(): string {
    return formatSocketAddress(this.#remote);
  }

  /** Whether the control stream was opened and the connection is not closed. */
  get isEdge(): boolean {
    return this.#session.phase !== 'opening' && this.#session.phase !== 'closed';
  }

  get silentMs(): number {
    return this.connection.silentMs;
  }

  ping(): void {
    this.connection.ping();
  }

  edgeRef(): EdgeRef {
    return { edgeId: this.edgeId, remoteAddr: this.remoteAddr };
  }

  notice(notice: SessionNotice): void {
    this.#run(() => this.#session.notice(notice, this.#nowMs()));
  }

  close(reason: CloseReason): void {
    this.#run(() => this.#session.close(reason));
  }

  drain(): void {
    this.#session.drain();
  }

  onStream(stream: QuicStream): void {
    this.#run(() => {
      if (!stream.bidirectional) endStream(stream, streamCode.wrongProtocolOrDirection);
      else if (stream.id === controlStreamId) return this.#openControl(stream);
      else
        this.#dependencies.forwarder.acceptStream(this.id, stream, this.#dependencies.registry.heldBinds(this.id) > 0);
      return [];
    });
  }

  onDatagram(): void {
    // The relay takes none for itself: the engine counts those that have no route.
  }

  onAddressChange(remote: SocketAddress): void {
    this.#logger.info({ from: this.remoteAddr, to: formatSocketAddress(remote) }, 'edge changed its address');
    this.#remote = remote;
  }

  onClosed(info: CloseInfo): void {
    this.#run(() => {
      const actions = this.#session.connectionClosed(closeWords(info));
      this.#dependencies.forwarder.sessionClosed(this.id);
      this.#leaveTunnels();
      return actions;
    });
    this.#dependencies.onClosed(this);
  }

  #openControl(stream: QuicStream): SessionAction[] {
    this.#control = new ControlStream(
      this.#dependencies.clock,
      stream,
      {
        onFrame: (payload) => this.#run(() => this.#session.receive(parseEdgeMessage(payload), this.#nowMs())),
        onEnded: (how) => this.#run(() => this.#session.controlEnded(how)),
        onOverflow: () => this.close(closeReason.controlStreamNotRead),
      },
      this.#settings,
    );
    return this.#session.controlOpened(this.#nowMs());
  }

  /** Every call into the session goes through here. Performs its actions; ends the session if anything throws. */
  #run(step: () => readonly SessionAction[]): void {
    try {
      this.#perform(step());
      this.#armDeadline();
    } catch (error) {
      this.#logger.error({ error, remote_addr: this.remoteAddr }, 'session failed');
      this.#abandon();
    }
  }

  #perform(actions: readonly SessionAction[]): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'send':
          this.#control?.send(action.message);
          break;
        case 'bind':
          this.#bind(action.message);
          break;
        case 'unbind':
          this.#unbind(action.tunnelId);
          break;
        case 'prove':
          this.connection.markProven();
          this.#control?.setMaxFrameBytes(MAX_CONTROL_FRAME_BYTES);
          break;
        case 'close':
          this.#leaveTunnels();
          this.connection.close(CLOSE_CODE, action.reason);
          break;
        case 'raise':
          this.#dependencies.events.emit(action.event);
          break;
        default:
          this.#note(action);
      }
    }
  }

  #note(action: Extract<SessionAction, { kind: 'note' | 'note-refusal' | 'note-troubles' }>): void {
    const { switchboard } = this.#dependencies;
    if (action.kind === 'note-refusal') switchboard.noteRefusal(this, action.message, action.reason);
    else if (action.kind === 'note-troubles') switchboard.noteTroubles(this, action.tunnelId, action.troubles);
    else this.#logger.debug({ what: action.what }, 'control message ignored');
  }

  #bind(message: BindMessage): void {
    this.#finishBind(message.tunnel_id, this.#dependencies.switchboard.bind(this, message));
  }

  #finishBind(tunnelId: TunnelId, outcome: BindAnswer | ContestedBind): void {
    if (outcome.kind === 'contested') this.#askForLife(tunnelId, outcome);
    else this.#answerBind(tunnelId, outcome);
  }

  /** Frames that arrive meanwhile wait, for binds are answered in order. */
  #askForLife(tunnelId: TunnelId, { by: holder, settle }: ContestedBind): void {
    this.#control?.pause();
    this.#asking = askForLife(this.#dependencies.clock, holder, (alive) => {
      this.#logger.debug({ tunnel_id: tunnelId, holder: holder.id, alive }, 'asked the holder of a leg');
      if (!alive) holder.close(closeReason.noSignOfLife);
      this.#control?.resume();
      this.#run(() => {
        if (this.#session.takesBinds) this.#finishBind(tunnelId, settle(alive));
        return [];
      });
    });
  }

  #answerBind(tunnelId: TunnelId, answer: BindAnswer): void {
    this.#logger.debug({ tunnel_id: tunnelId, answer }, 'bind answered');
    this.#perform(this.#session.answerBind(tunnelId, answer, this.#nowMs()));
  }

  #unbind(tunnelId: TunnelId): void {
    const held = this.#dependencies.switchboard.unbind(this, tunnelId);
    if (!held) this.#logger.debug({ tunnel_id: tunnelId }, 'unbind of a tunnel that is not bound here');
  }

  /** Idempotent. The legs are free from now on, not only when the last packet has left. */
  #leaveTunnels(): void {
    this.#asking?.cancel();
    this.#control?.stop();
    this.#dependencies.switchboard.sessionClosed(this.id);
  }

  #abandon(): void {
    this.#session.close(closeReason.internalError);
    this.#deadline?.timer.cancel();
    this.#deadline = null;
    this.#leaveTunnels();
    this.connection.close(CLOSE_CODE, closeReason.internalError);
  }

  #armDeadline(): void {
    const atMs = this.#session.deadlineMs;
    if (atMs === (this.#deadline?.atMs ?? null)) return;
    this.#deadline?.timer.cancel();
    this.#deadline = null;
    if (atMs === null) return;
    const tick = (): void => {
      this.#deadline = null;
      this.#run(() => this.#session.tick(this.#nowMs()));
    };
    const timer = this.#dependencies.clock.setTimeout(tick, Math.max(0, atMs - this.#nowMs()));
    this.#deadline = { timer, atMs };
  }

  #nowMs(): number {
    return this.#dependencies.clock.monotonicMs();
  }
}
