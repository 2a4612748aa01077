import type { BindRefusal } from '../../protocol/tunnel/bind-refusal.ts';
import { closeReason, type CloseReason } from '../../protocol/tunnel/close-code.ts';
import { DIRECTIONS, oppositeDirection, type Direction } from '../../protocol/tunnel/leg.ts';
import { tunnelDownReason, type TunnelDownReason } from '../../protocol/tunnel/tunnel-down-reason.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EventLimits } from '../events/event-limits.ts';
import type { EdgeRef } from '../events/relay-event.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { BindPolicy } from '../tunnels/bind-policy.ts';
import type { RefusalLog } from '../tunnels/refusal-log.ts';
import type { SessionId } from '../tunnels/session-id.ts';
import type { BindOutcome, RemovedLeg, TunnelRegistry } from '../tunnels/tunnel-registry.ts';
import type { Leg } from '../tunnels/tunnel.ts';
import { endReasons, policyReasons, registryReasons } from './down-reasons.ts';
import type { BindAnswer, BindMessage, SessionNotice } from './session-action.ts';

/** A session as the switchboard knows it. */
export interface BoardSession {
  readonly id: SessionId;
  readonly bindChallenge: string;
  /** Since a packet came from the edge. */
  readonly silentMs: number;
  edgeRef(): EdgeRef;
  ping(): void;
  notice(notice: SessionNotice): void;
  close(reason: CloseReason): void;
}

/** The leg of another session is in the way of an edge with a credential. It may be dead: ping it, then settle. */
export interface ContestedBind {
  readonly kind: 'contested';
  readonly by: BoardSession;
  /** Decides again, with what may have changed meanwhile. Call it once `by` has answered, or was closed. */
  readonly settle: (alive: boolean) => BindAnswer | ContestedBind;
}

export interface SwitchboardDependencies {
  readonly clock: Pick<Clock, 'now' | 'monotonicMs'>;
  readonly registry: TunnelRegistry;
  readonly policy: BindPolicy;
  readonly forwarder: Pick<Forwarder, 'apply'>;
  readonly events: Pick<EventLimits, 'emit'>;
  readonly refusals: RefusalLog;
  session(id: SessionId): BoardSession | null;
}

export interface SwitchboardSettings {
  readonly maxTunnelsPerConnection: number;
  /**
   * An edge that was silent for longer loses its leg to the first unauthenticated edge that asks for it (conformance
   * I3).
   */
  readonly aliveMs: number;
}

/**
 * Applies what policy and registry decided. Order: routes first, so no byte moves that is no longer allowed; then
 * events; then messages to the other edges. Returns the asking session's answer.
 */
export class Switchboard {
  readonly #dependencies: SwitchboardDependencies;
  readonly #settings: SwitchboardSettings;
  #draining = false;

  constructor(dependencies: SwitchboardDependencies, settings: SwitchboardSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Decides a bind and carries it out. The answer is for the asking session. */
  bind(session: BoardSession, message: BindMessage): BindAnswer | ContestedBind {
    return this.#bind(session, message, null);
  }

  /** `alive`: the session that contested this bind before, and has given a sign of life since. */
  #bind(session: BoardSession, message: BindMessage, alive: SessionId | null): BindAnswer | ContestedBind {
    const { tunnel_id: tunnelId, direction, protocol } = message;
    const { policy, registry, refusals } = this.#dependencies;
    const challenge = session.bindChallenge;
    const verdict = policy.check({
      tunnelId,
      direction,
      token: message.bind_token,
      proof: message.bind_proof,
      challenge,
    });
    if (verdict.kind === 'refused') return this.#refusedByPolicy(session, message, verdict.reason);
    const credential = policy.credentialOf(tunnelId, direction);
    const ifFree = message.if_free === true;
    const request = { tunnelId, direction, protocol, sessionId: session.id, credential, ifFree, alive };
    const outcome = registry.bind(request, this.#nowMs());
    if (outcome.kind === 'contested') return this.#contested(session, message, outcome.by, credential);
    if (outcome.kind === 'refused') return this.#refusedByRegistry(session, message, outcome, credential);
    refusals.forget(tunnelId, direction);
    this.#dependencies.forwarder.apply(tunnelId);
    this.#announceBind(session, tunnelId, outcome);
    return { kind: outcome.peer === null ? 'waiting' : 'ready' };
  }

  /** Keeps a refusal for `adit why`. */
  noteRefusal(session: BoardSession, { tunnel_id: tunnelId, direction }: BindMessage, reason: TunnelDownReason): void {
    const { clock, refusals } = this.#dependencies;
    refusals.add({ tunnelId, direction, reason, ...session.edgeRef(), atMs: clock.now() });
  }

  /** Stores what is wrong at the session's end of a tunnel, and sends it to the peer. Ignored without a leg. */
  noteTroubles(session: BoardSession, tunnelId: TunnelId, troubles: readonly string[]): void {
    const { registry } = this.#dependencies;
    const leg = registry.noteTroubles(tunnelId, session.id, troubles);
    const peer = leg === null ? null : (registry.get(tunnelId)?.[oppositeDirection(leg.direction)] ?? null);
    if (peer !== null) this.#notice(peer.sessionId, { kind: 'peer-troubles', tunnelId, troubles });
  }

  /** False when the session does not hold a leg of the tunnel. */
  unbind(session: BoardSession, tunnelId: TunnelId): boolean {
    const removed = this.#dependencies.registry.unbind(tunnelId, session.id, this.#nowMs());
    if (removed === null) return false;
    this.#dependencies.forwarder.apply(tunnelId);
    const { direction } = removed.leg;
    const unauthenticated = this.#unauthenticated(session.id, tunnelId, direction);
    this.#dependencies.events.emit({ kind: 'tunnel-unbound', tunnelId, direction }, unauthenticated);
    this.#notifyPeer(removed, tunnelDownReason.peerUnbound);
    return true;
  }

  /** The session's connection is closed or about to be. Calling it again does nothing. */
  sessionClosed(sessionId: SessionId): void {
    const removed = this.#dependencies.registry.removeSession(sessionId, this.#nowMs());
    for (const { tunnelId } of removed) this.#dependencies.forwarder.apply(tunnelId);
    if (this.#draining) return;
    for (const leg of removed) {
      if (leg.peer === null) continue;
      const { tunnelId } = leg;
      const { direction } = leg.leg;
      const unauthenticated = this.#unauthenticated(sessionId, tunnelId, direction);
      this.#dependencies.events.emit({ kind: 'tunnel-down', tunnelId, direction }, unauthenticated);
      this.#notifyPeer(leg, tunnelDownReason.peerDisconnected);
    }
  }

  /** Takes the legs of a tunnel away for good; returns how many there were. */
  endTunnel(tunnelId: TunnelId, cause: keyof typeof endReasons): number {
    return this.#cut(tunnelId, cause, () => true);
  }

  /** Takes away those legs whose right to be there is not what it was when they were bound (conformance I4). */
  authorizationChanged(tunnelId: TunnelId): void {
    const { policy } = this.#dependencies;
    if (policy.isRevoked(tunnelId)) this.#cut(tunnelId, 'revoked', () => true);
    else {
      const isStale = (leg: Leg): boolean => leg.credential !== policy.credentialOf(tunnelId, leg.direction);
      this.#cut(tunnelId, 'authorisation changed', isStale);
    }
  }

  /**
   * The relay is about to close all connections: raises one event for each tunnel, and none for each edge that goes.
   */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (const { id } of this.#dependencies.registry.tunnels()) {
      this.#dependencies.events.emit({ kind: 'tunnel-closed', tunnelId: id, cause: 'drained' });
    }
  }

  #cut(tunnelId: TunnelId, cause: keyof typeof endReasons, condemned: (leg: Leg) => boolean): number {
    const removed = this.#dependencies.registry.cut(tunnelId, condemned, this.#nowMs());
    if (removed.length === 0) return 0;
    this.#dependencies.forwarder.apply(tunnelId);
    this.#dependencies.events.emit({ kind: 'tunnel-closed', tunnelId, cause });
    for (const { leg } of removed) {
      this.#notice(leg.sessionId, { kind: 'ended', tunnelId, reason: endReasons[cause] });
    }
    const survivor = this.#dependencies.registry.get(tunnelId);
    for (const direction of DIRECTIONS) {
      const leg = survivor?.[direction];
      if (leg) this.#notice(leg.sessionId, { kind: 'peer-gone', tunnelId, reason: tunnelDownReason.peerDisconnected });
    }
    return removed.length;
  }

  #announceBind(session: BoardSession, tunnelId: TunnelId, outcome: Extract<BindOutcome, { kind: 'bound' }>): void {
    const { events, registry } = this.#dependencies;
    const { leg, peer, replaced, rebound, becameActive } = outcome;
    const { direction } = leg;
    const unauthenticated = this.#unauthenticated(session.id, tunnelId, direction);
    if (replaced !== null) {
      const oldEdge = this.#edgeRef(replaced.sessionId);
      events.emit({ kind: 'leg-replaced', tunnelId, direction, oldEdge, newEdge: session.edgeRef() });
      this.#notice(replaced.sessionId, { kind: 'replaced', tunnelId });
    } else if (peer === null && !rebound) {
      events.emit({ kind: 'tunnel-waiting', tunnelId, direction }, unauthenticated);
    }
    if (peer !== null) this.#introduce(tunnelId, session.id, peer, replaced);
    const tunnel = registry.get(tunnelId);
    if (!becameActive || peer === null || !tunnel?.ingress || !tunnel.egress) return;
    const [ingress, egress] = [this.#edgeRef(tunnel.ingress.sessionId), this.#edgeRef(tunnel.egress.sessionId)];
    events.emit({ kind: 'tunnel-active', tunnelId, ingress, egress }, unauthenticated);
    this.#notice(peer.sessionId, { kind: 'peer-ready', tunnelId, first: !peer.wasPaired });
  }

  /** Sends each side of a new pair what is wrong at the other end. */
  #introduce(tunnelId: TunnelId, newcomer: SessionId, peer: Leg, replaced: Leg | null): void {
    const send = (to: SessionId, troubles: readonly string[]): void =>
      this.#notice(to, { kind: 'peer-troubles', tunnelId, troubles });
    if (replaced !== null && replaced.troubles.length > 0) send(peer.sessionId, []);
    if (peer.troubles.length > 0) send(newcomer, peer.troubles);
  }

  /** Without a credential the holder is not pinged: it keeps the leg unless it was silent for longer than `aliveMs`. */
  #contested(
    session: BoardSession,
    message: BindMessage,
    holder: SessionId,
    credential: string | null,
  ): BindAnswer | ContestedBind {
    const by = this.#dependencies.session(holder);
    if (by === null) throw new Error(`session ${holder} is gone and holds a leg`);
    const settle = (alive: boolean) => this.#bind(session, message, alive ? holder : null);
    if (credential !== null) return { kind: 'contested', by, settle };
    const isAlive = by.silentMs <= this.#settings.aliveMs;
    if (!isAlive) by.close(closeReason.noSignOfLife);
    return settle(isAlive);
  }

  #refusedByPolicy(session: BoardSession, message: BindMessage, reason: BindRefusal): BindAnswer {
    const { tunnel_id: tunnelId, direction } = message;
    const { remoteAddr } = session.edgeRef();
    this.#dependencies.events.emit({ kind: 'bind-rejected', tunnelId, direction, remoteAddr, reason });
    return this.#refuse(session, message, policyReasons[reason]);
  }

  #refusedByRegistry(
    session: BoardSession,
    message: BindMessage,
    { reason, holder }: Extract<BindOutcome, { kind: 'refused' }>,
    credential: string | null,
  ): BindAnswer {
    if (message.if_free === true && reason === 'leg-held' && credential !== null) {
      // The edge repeats this bind every few seconds, which is no event.
      this.noteRefusal(session, message, registryReasons[reason]);
      return { kind: 'taken' };
    }
    const { tunnel_id: tunnelId, direction } = message;
    const { events, registry } = this.#dependencies;
    const { remoteAddr } = session.edgeRef();
    if (reason === 'per-connection-cap') {
      const activeBinds = registry.heldBinds(session.id);
      const cap = this.#settings.maxTunnelsPerConnection;
      events.emit({ kind: 'bind-cap-exceeded', tunnelId, remoteAddr, activeBinds, cap });
    } else if ((reason === 'leg-held' || reason === 'replaced-too-often') && holder !== null) {
      events.emit({ kind: 'leg-held', tunnelId, direction, remoteAddr, holder: this.#edgeRef(holder), reason });
    }
    return this.#refuse(session, message, registryReasons[reason]);
  }

  #refuse(session: BoardSession, message: BindMessage, reason: TunnelDownReason): BindAnswer {
    this.noteRefusal(session, message, reason);
    return { kind: 'refused', reason };
  }

  #notifyPeer({ tunnelId, peer }: RemovedLeg, reason: TunnelDownReason): void {
    if (peer !== null) this.#notice(peer.sessionId, { kind: 'peer-gone', tunnelId, reason });
  }

  #notice(sessionId: SessionId, notice: SessionNotice): void {
    this.#dependencies.session(sessionId)?.notice(notice);
  }

  /** The address of an edge on a leg that needs no credential; null where one is needed. */
  #unauthenticated(sessionId: SessionId, tunnelId: TunnelId, direction: Direction): string | null {
    const open = this.#dependencies.policy.credentialOf(tunnelId, direction) === null;
    return open ? this.#edgeRef(sessionId).remoteAddr : null;
  }

  #edgeRef(sessionId: SessionId): EdgeRef {
    return this.#dependencies.session(sessionId)?.edgeRef() ?? { edgeId: null, remoteAddr: 'unknown' };
  }

  #nowMs(): number {
    return this.#dependencies.clock.monotonicMs();
  }
}
