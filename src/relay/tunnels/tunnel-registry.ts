import type { Direction, TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { SessionId } from './session-id.ts';
import { legHeldBy, Tunnel, type Leg, type ReplacementLimits, type TunnelView } from './tunnel.ts';

export interface RegistrySettings extends ReplacementLimits {
  readonly maxTunnels: number;
  /** Binds that one connection may hold. */
  readonly maxTunnelsPerConnection: number;
}

/** A bind that the policy has let through. */
export interface BindRequest {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  readonly sessionId: SessionId;
  /** Null: nothing is known of the tunnel, the relay is permissive; then a live holder keeps its leg. */
  readonly credential: string | null;
  /** The edge wants the leg only if no live session holds it. */
  readonly ifFree: boolean;
  /** A session that stood in the way at the last call, and is alive. */
  readonly alive: SessionId | null;
}

export type RegistryRefusal =
  | 'both-legs-on-one-connection'
  | 'per-connection-cap'
  | 'tunnel-cap'
  | 'protocol-mismatch'
  | 'leg-held'
  | 'replaced-too-often';

export type BindOutcome =
  | { readonly kind: 'refused'; readonly reason: RegistryRefusal; readonly holder: SessionId | null }
  /** Another session's leg is in the way. Refuse while that session is alive. Nothing has changed yet. */
  | { readonly kind: 'contested'; readonly by: SessionId }
  | {
      readonly kind: 'bound';
      readonly leg: Leg;
      /** The other leg, as it was before this bind. */
      readonly peer: Leg | null;
      /** The leg of another session whose place was taken. */
      readonly replaced: Leg | null;
      /** The same session held this leg already. */
      readonly rebound: boolean;
      /** The tunnel had one leg or none before, and has both now. */
      readonly becameActive: boolean;
    };

/** A leg that is gone, and the one that stays behind. */
export interface RemovedLeg {
  readonly tunnelId: TunnelId;
  readonly leg: Leg;
  readonly peer: Leg | null;
}

/** Why a bind cannot be, and the leg of another session that is the reason. */
interface Obstacle {
  readonly reason: RegistryRefusal;
  readonly leg: Leg | null;
}

/** The tunnel, holder and peer that a bind finds. */
interface Place {
  readonly tunnel: Tunnel | null;
  readonly holder: Leg | null;
  readonly peer: Leg | null;
  /** The session that binds is the holder. */
  readonly rebound: boolean;
}

/**
 * The one owner of tunnels, legs and pairing (conformance I3, I6). Pure: time, and which session is alive, are
 * arguments. A removal always names the session that it is for, so a late close cannot take its successor's leg.
 */
export class TunnelRegistry {
  readonly #tunnels = new Map<TunnelId, Tunnel>();
  readonly #bySession = new Map<SessionId, Set<TunnelId>>();
  readonly #settings: RegistrySettings;
  #activeTunnels = 0;
  #peakTunnels = 0;

  constructor(settings: RegistrySettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#tunnels.size;
  }

  get activeTunnels(): number {
    return this.#activeTunnels;
  }

  get peakTunnels(): number {
    return this.#peakTunnels;
  }

  get(tunnelId: TunnelId): TunnelView | null {
    return this.#tunnels.get(tunnelId) ?? null;
  }

  tunnels(): IterableIterator<TunnelView> {
    return this.#tunnels.values();
  }

  legOf(tunnelId: TunnelId, sessionId: SessionId): Leg | null {
    const tunnel = this.#tunnels.get(tunnelId);
    return tunnel === undefined ? null : legHeldBy(tunnel, sessionId);
  }

  heldBinds(sessionId: SessionId): number {
    return this.#bySession.get(sessionId)?.size ?? 0;
  }

  tunnelsOf(sessionId: SessionId): readonly TunnelId[] {
    return [...(this.#bySession.get(sessionId) ?? [])];
  }

  bind(request: BindRequest, nowMs: number): BindOutcome {
    const place = this.#place(request);
    const { tunnel, holder, peer, rebound } = place;
    const obstacle = this.#obstacle(request, place, nowMs);
    if (obstacle !== null) return this.#refuse(request, place, obstacle, nowMs);
    const replaced = rebound ? null : holder;
    if (replaced !== null) tunnel?.countReplacement(request.direction, this.#settings, nowMs);
    const leg = this.#link(request, rebound && (holder?.wasPaired ?? false), nowMs);
    const becameActive = holder === null && peer !== null;
    return { kind: 'bound', leg, peer, replaced, rebound, becameActive };
  }

  /** The leg as it is now; null when this session holds none of the tunnel. */
  noteTroubles(tunnelId: TunnelId, sessionId: SessionId, troubles: readonly string[]): Leg | null {
    const leg = this.legOf(tunnelId, sessionId);
    if (leg === null) return null;
    return this.#tunnels.get(tunnelId)?.noteTroubles(leg.direction, troubles) ?? null;
  }

  /** Null when this session does not hold a leg of the tunnel. */
  unbind(tunnelId: TunnelId, sessionId: SessionId, nowMs: number): RemovedLeg | null {
    const leg = this.legOf(tunnelId, sessionId);
    return leg === null ? null : this.#remove(tunnelId, leg, nowMs);
  }

  removeSession(sessionId: SessionId, nowMs: number): RemovedLeg[] {
    const removed = this.tunnelsOf(sessionId).map((tunnelId) => this.unbind(tunnelId, sessionId, nowMs));
    return removed.filter((leg) => leg !== null);
  }

  /** Takes away those legs of a tunnel that `condemned` picks. */
  cut(tunnelId: TunnelId, condemned: (leg: Leg) => boolean, nowMs: number): RemovedLeg[] {
    const tunnel = this.#tunnels.get(tunnelId);
    if (tunnel === undefined) return [];
    const legs = [tunnel.ingress, tunnel.egress].filter((leg) => leg !== null && condemned(leg));
    return legs.filter((leg) => leg !== null).map((leg) => this.#remove(tunnelId, leg, nowMs));
  }

  #place(request: BindRequest): Place {
    const tunnel = this.#tunnels.get(request.tunnelId) ?? null;
    const holder = tunnel?.leg(request.direction) ?? null;
    const peer = tunnel?.peerOf(request.direction) ?? null;
    return { tunnel, holder, peer, rebound: holder?.sessionId === request.sessionId };
  }

  #obstacle(request: BindRequest, place: Place, nowMs: number): Obstacle | null {
    const { tunnel, holder, peer, rebound } = place;
    if (peer?.sessionId === request.sessionId) return { reason: 'both-legs-on-one-connection', leg: null };
    const cap = this.#capReached(request, place);
    if (cap !== null) return { reason: cap, leg: null };
    if (peer !== null && peer.protocol !== request.protocol) return { reason: 'protocol-mismatch', leg: peer };
    if (tunnel === null || holder === null || rebound) return null;
    if (request.credential === null || request.ifFree) return { reason: 'leg-held', leg: holder };
    const mayReplace = tunnel.mayReplace(request.direction, this.#settings, nowMs);
    return mayReplace ? null : { reason: 'replaced-too-often', leg: holder };
  }

  #capReached({ sessionId }: BindRequest, { tunnel, rebound }: Place): RegistryRefusal | null {
    const { maxTunnels, maxTunnelsPerConnection } = this.#settings;
    if (!rebound && this.heldBinds(sessionId) >= maxTunnelsPerConnection) return 'per-connection-cap';
    return tunnel === null && this.#tunnels.size >= maxTunnels ? 'tunnel-cap' : null;
  }

  #refuse(request: BindRequest, place: Place, { reason, leg }: Obstacle, nowMs: number): BindOutcome {
    if (leg !== null && leg.sessionId !== request.alive) return { kind: 'contested', by: leg.sessionId };
    if (reason === 'replaced-too-often') place.tunnel?.blockReplacement(request.direction, this.#settings, nowMs);
    return { kind: 'refused', reason, holder: place.holder?.sessionId ?? null };
  }

  #remove(tunnelId: TunnelId, leg: Leg, nowMs: number): RemovedLeg {
    const peer = this.#tunnels.get(tunnelId)?.peerOf(leg.direction) ?? null;
    this.#unlink(tunnelId, leg, nowMs);
    return { tunnelId, leg, peer };
  }

  /** Puts the leg in place, over its holder if there is one. */
  #link(request: BindRequest, wasPaired: boolean, nowMs: number): Leg {
    const { tunnelId, direction, protocol, sessionId, credential } = request;
    const tunnel = this.#tunnels.get(tunnelId) ?? new Tunnel(tunnelId, nowMs);
    this.#tunnels.set(tunnelId, tunnel);
    this.#peakTunnels = Math.max(this.#peakTunnels, this.#tunnels.size);
    const holder = tunnel.leg(direction);
    if (holder !== null) this.#forget(holder.sessionId, tunnelId);
    const wasActive = tunnel.isActive;
    const troubles = holder?.sessionId === sessionId ? holder.troubles : [];
    const fresh: Leg = { direction, sessionId, protocol, credential, boundAtMs: nowMs, wasPaired, troubles };
    const leg = tunnel.setLeg(fresh, nowMs);
    if (tunnel.isActive && !wasActive) this.#activeTunnels++;
    const held = this.#bySession.get(sessionId) ?? new Set();
    this.#bySession.set(sessionId, held.add(tunnelId));
    return leg;
  }

  #unlink(tunnelId: TunnelId, leg: Leg, nowMs: number): void {
    const tunnel = this.#tunnels.get(tunnelId);
    if (tunnel === undefined) return;
    if (tunnel.isActive) this.#activeTunnels--;
    tunnel.clearLeg(leg.direction, nowMs);
    if (tunnel.isEmpty) this.#tunnels.delete(tunnelId);
    this.#forget(leg.sessionId, tunnelId);
  }

  #forget(sessionId: SessionId, tunnelId: TunnelId): void {
    const held = this.#bySession.get(sessionId);
    held?.delete(tunnelId);
    if (held?.size === 0) this.#bySession.delete(sessionId);
  }
}
