import type { EdgeMessage, MessageOf, ParsedMessage, RelayMessage } from '../../protocol/tunnel/control-message.ts';
import { closeReason, type CloseReason } from '../../protocol/tunnel/close-code.ts';
import { PROTOCOL_VERSION, REFUSAL_LINGER_MS, RELAY_FEATURES, TUNNEL_TROUBLE } from '../../protocol/tunnel/limits.ts';
import { tunnelDownReason, type TunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { RelayEvent } from '../events/relay-event.ts';
import type { SessionId } from '../tunnels/session-id.ts';
import type { TunnelRegistry } from '../tunnels/tunnel-registry.ts';
import type { BindAnswer, BindMessage, SessionAction, SessionNotice } from './session-action.ts';

export interface SessionSettings {
  readonly softwareVersion: string;
  /** Edges that announce less, or nothing (0), are refused. */
  readonly minProtocolVersion: number;
  readonly holdWaitingEdges: boolean;
  readonly controlStreamTimeoutMs: number;
  readonly firstBindTimeoutMs: number;
}

/**
 * `opening`: no control stream yet. `unproven`: no bind has succeeded yet. `proven`: the edge has shown a credential or
 * holds a leg, and may stay. `leaving`: the edge's request was refused. The connection closes when the edge has had
 * time to read that, unless a later bind succeeds. `closed`: nothing has an effect any more.
 */
export type SessionPhase = 'opening' | 'unproven' | 'proven' | 'leaving' | 'closed';

export interface SessionDependencies {
  readonly id: SessionId;
  readonly registry: Pick<TunnelRegistry, 'heldBinds'>;
  remoteAddr(): string;
}

/** Refusals answered one after the other put the close off; a peer must not do that for ever. */
const longestLeaveMs = 10 * REFUSAL_LINGER_MS;

/**
 * One edge's conversation (docs/protocol/tunnel.md §2), without any I/O: messages, notices and times go in, actions
 * come out. Actions are to be carried out in order, before the next call.
 */
export class Session {
  readonly bindChallenge: string;
  readonly #dependencies: SessionDependencies;
  readonly #settings: SessionSettings;
  readonly #startedAtMs: number;
  #phase: SessionPhase = 'opening';
  /** When the control stream was; null before. */
  #openedAtMs: number | null = null;
  #proven = false;
  #draining = false;
  /** A leg of this session went to another connection. */
  #replaced = false;
  /** A bind was handed out and not answered. */
  #bindIsOpen = false;
  #edgeId: string | null = null;
  #version = 0;
  #softwareVersion: string | null = null;
  #features: readonly string[] = [];
  #leave: { readonly sinceMs: number; readonly atMs: number; readonly reason: CloseReason } | null = null;

  constructor(dependencies: SessionDependencies, settings: SessionSettings, bindChallenge: string, nowMs: number) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.bindChallenge = bindChallenge;
    this.#startedAtMs = nowMs;
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  get edgeId(): string | null {
    return this.#edgeId;
  }

  get softwareVersion(): string | null {
    return this.#softwareVersion;
  }

  /** 0 until the edge has said hello. */
  get protocolVersion(): number {
    return this.#version;
  }

  /** When `tick` is due; null while nothing is waited for. */
  get deadlineMs(): number | null {
    switch (this.#phase) {
      case 'opening':
        return this.#startedAtMs + this.#settings.controlStreamTimeoutMs;
      case 'unproven':
        return this.#firstBindDueMs();
      case 'leaving':
        return this.#leaveDueMs();
      case 'proven':
      case 'closed':
        return null;
    }
  }

  controlOpened(nowMs: number): SessionAction[] {
    if (this.#phase !== 'opening') return [];
    this.#phase = 'unproven';
    this.#openedAtMs = nowMs;
    return [this.#raise({ kind: 'edge-connected', remoteAddr: this.#dependencies.remoteAddr() })];
  }

  receive(parsed: ParsedMessage<EdgeMessage>, nowMs: number): SessionAction[] {
    if (this.#phase === 'opening' || this.#phase === 'closed') return [];
    if (parsed.kind === 'unknown') return [{ kind: 'note', what: `unknown type ${parsed.type}` }];
    if (parsed.kind === 'malformed') return [{ kind: 'note', what: parsed.reason }];
    const { message } = parsed;
    switch (message.type) {
      case 'hello':
        return this.#hello(message);
      case 'identify':
        this.#edgeId = message.edge_id;
        return [];
      case 'tunnel_bind':
        return this.#bind(message, nowMs);
      case 'tunnel_unbind':
        return [{ kind: 'unbind', tunnelId: message.tunnel_id }];
      case 'ping':
        return [this.#send({ type: 'pong' })];
      case 'tunnel_trouble':
        return [{ kind: 'note-troubles', tunnelId: message.tunnel_id, troubles: message.troubles }];
    }
  }

  /** False when the session has ended, or the relay stops: a bind that was put off is dropped without an answer. */
  get takesBinds(): boolean {
    return this.#phase !== 'closed' && !this.#draining;
  }

  answerBind(tunnelId: TunnelId, answer: BindAnswer, nowMs: number): SessionAction[] {
    this.#bindIsOpen = false;
    if (this.#phase === 'opening' || this.#phase === 'closed') return [];
    if (answer.kind === 'refused') {
      return [this.#down(tunnelId, answer.reason), ...this.#leaveIfIdle(closeReason.bindRefused, nowMs)];
    }
    this.#phase = 'proven';
    this.#leave = null;
    const actions: SessionAction[] = this.#proven ? [] : [{ kind: 'prove' }];
    this.#proven = true;
    if (answer.kind === 'taken') return [...actions, this.#down(tunnelId, tunnelDownReason.legHeld)];
    if (answer.kind === 'ready') return [...actions, this.#send({ type: 'tunnel_ready', tunnel_id: tunnelId })];
    // An edge that keeps its connection while its peer is away loses nothing by knowing that it waits.
    if (this.#settings.holdWaitingEdges && !this.#knowsPeerState()) return actions;
    return [...actions, this.#send({ type: 'tunnel_waiting', tunnel_id: tunnelId })];
  }

  notice(notice: SessionNotice, nowMs: number): SessionAction[] {
    if (this.#phase === 'opening' || this.#phase === 'closed') return [];
    switch (notice.kind) {
      case 'peer-ready':
        if (!notice.first && !this.#knowsPeerState()) return [];
        return [this.#send({ type: 'tunnel_ready', tunnel_id: notice.tunnelId })];
      case 'peer-gone':
        // To the others this would be the end of the tunnel for as long as they are connected: they keep their leg.
        return this.#knowsPeerState() ? [this.#down(notice.tunnelId, notice.reason)] : [];
      case 'peer-troubles': {
        if (!this.#features.includes(TUNNEL_TROUBLE)) return [];
        const troubles = [...notice.troubles];
        return [this.#send({ type: 'tunnel_trouble', tunnel_id: notice.tunnelId, troubles })];
      }
      case 'replaced':
        // Not closed: two edges that were given the same leg would take it from each other for ever.
        this.#replaced = true;
        return [this.#down(notice.tunnelId, tunnelDownReason.replaced)];
      case 'ended':
        return [this.#down(notice.tunnelId, notice.reason), ...this.#leaveIfIdle(closeReason.tunnelEnded, nowMs)];
    }
  }

  /** The control stream is over, or cannot be read any further. */
  controlEnded(how: 'finished' | 'reset' | 'inside a frame' | 'oversize frame'): SessionAction[] {
    if (this.#phase === 'opening' || this.#phase === 'closed') return [];
    if (how === 'oversize frame') return this.#close(closeReason.frameTooLarge);
    // Edges in the field end their half of the stream when a tunnel is down, and go on to carry data: they stay.
    const stays = how === 'finished' && (this.#heldBinds() > 0 || this.#leave !== null || this.#replaced);
    return stays ? [] : this.#close(closeReason.controlStreamEnded);
  }

  tick(nowMs: number): SessionAction[] {
    const dueMs = this.deadlineMs;
    if (dueMs === null || nowMs < dueMs) return [];
    if (this.#phase === 'opening') return this.#close(closeReason.noControlStream);
    return this.#close(this.#leave?.reason ?? closeReason.noBind);
  }

  /** From now on binds are not answered any more: the connection is about to be closed with its own words. */
  drain(): void {
    this.#draining = true;
  }

  close(reason: CloseReason): SessionAction[] {
    return this.#phase === 'closed' ? [] : this.#close(reason);
  }

  /** The connection is gone, for the reason given in words. The last call. */
  connectionClosed(reason: string): SessionAction[] {
    this.#phase = 'closed';
    const kind = this.#openedAtMs !== null ? 'edge-disconnected' : 'edge-connection-failed';
    return [this.#raise({ kind, remoteAddr: this.#dependencies.remoteAddr(), reason })];
  }

  #hello(message: MessageOf<EdgeMessage, 'hello'>): SessionAction[] {
    const { protocol_version: version } = message;
    const isNews = version !== this.#version && version !== PROTOCOL_VERSION;
    this.#version = version;
    this.#softwareVersion = message.software_version;
    this.#features = message.features;
    const answer = this.#send({
      type: 'hello_ack',
      protocol_version: PROTOCOL_VERSION,
      software_version: this.#settings.softwareVersion,
      features: [...RELAY_FEATURES],
      bind_challenge: this.bindChallenge,
    });
    if (!isNews) return [answer];
    const remoteAddr = this.#dependencies.remoteAddr();
    const mismatch = { edgeVersion: version, relayVersion: PROTOCOL_VERSION, remoteAddr };
    return [this.#raise({ kind: 'version-mismatch', ...mismatch }), answer];
  }

  #bind(message: BindMessage, nowMs: number): SessionAction[] {
    if (this.#draining) return [{ kind: 'note', what: 'bind while shutting down' }];
    if (this.#version < this.#settings.minProtocolVersion) {
      const reason = tunnelDownReason.protocolVersionTooOld;
      const refusal = [{ kind: 'note-refusal', message, reason } as const, this.#down(message.tunnel_id, reason)];
      return [...refusal, ...this.#leaveIfIdle(closeReason.protocolVersionTooOld, nowMs)];
    }
    this.#bindIsOpen = true;
    return [{ kind: 'bind', message }];
  }

  #leaveIfIdle(reason: CloseReason, nowMs: number): SessionAction[] {
    if (this.#heldBinds() > 0) return [];
    const sinceMs = this.#leave?.sinceMs ?? nowMs;
    const atMs = Math.min(nowMs + REFUSAL_LINGER_MS, sinceMs + longestLeaveMs);
    this.#leave = { sinceMs, atMs, reason };
    this.#phase = 'leaving';
    return [];
  }

  /** An edge whose bind may yet succeed is not sent away for an earlier one. */
  #leaveDueMs(): number | null {
    const leaveAtMs = this.#bindIsOpen ? Infinity : (this.#leave?.atMs ?? Infinity);
    const dueMs = Math.min(leaveAtMs, this.#firstBindDueMs());
    return dueMs === Infinity ? null : dueMs;
  }

  #firstBindDueMs(): number {
    return this.#proven ? Infinity : (this.#openedAtMs ?? Infinity) + this.#settings.firstBindTimeoutMs;
  }

  #heldBinds(): number {
    return this.#dependencies.registry.heldBinds(this.#dependencies.id);
  }

  #knowsPeerState(): boolean {
    return this.#features.includes('peer_state');
  }

  #close(reason: CloseReason): SessionAction[] {
    this.#phase = 'closed';
    return [{ kind: 'close', reason }];
  }

  #down(tunnelId: TunnelId, reason: TunnelDownReason): SessionAction {
    return this.#send({ type: 'tunnel_down', tunnel_id: tunnelId, reason });
  }

  #send(message: RelayMessage): SessionAction {
    return { kind: 'send', message };
  }

  #raise(event: RelayEvent): SessionAction {
    return { kind: 'raise', event };
  }
}
