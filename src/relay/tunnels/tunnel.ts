import { oppositeDirection, type Direction, type TunnelProtocol } from '../../protocol/tunnel/leg.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { SessionId } from './session-id.ts';

/** One side of a tunnel, held by one session. */
export interface Leg {
  readonly direction: Direction;
  readonly sessionId: SessionId;
  readonly protocol: TunnelProtocol;
  /** What the leg was bound with (see BindPolicy.credentialOf); null when the relay was permissive. */
  readonly credential: string | null;
  readonly boundAtMs: number;
  /** Whether this leg has been part of an active tunnel, so that its edge has got `tunnel_ready` once. */
  readonly wasPaired: boolean;
  /** What its edge says is wrong at its end, in the words of docs/protocol/tunnel.md §2.9. */
  readonly troubles: readonly string[];
}

/** A tunnel as others may look at it. A tunnel exists while it has at least one leg. */
export interface TunnelView {
  readonly id: TunnelId;
  readonly protocol: TunnelProtocol;
  readonly ingress: Leg | null;
  readonly egress: Leg | null;
  readonly createdAtMs: number;
  /** Since when both legs are there, or one is missing. */
  readonly statusSinceMs: number;
}

/** The leg of a tunnel that this session holds; it never holds both. */
export function legHeldBy(tunnel: TunnelView, sessionId: SessionId): Leg | null {
  if (tunnel.ingress?.sessionId === sessionId) return tunnel.ingress;
  return tunnel.egress?.sessionId === sessionId ? tunnel.egress : null;
}

export interface ReplacementLimits {
  /**
   * Replacements of one leg within the window that are let through; the next one starts a block as long as the window.
   */
  readonly maxReplacements: number;
  readonly windowMs: number;
}

/** State of one tunnel; only the registry writes it. */
export class Tunnel implements TunnelView {
  readonly id: TunnelId;
  readonly createdAtMs: number;
  statusSinceMs: number;
  readonly #legs: Record<Direction, Leg | null> = { ingress: null, egress: null };
  readonly #replacedAtMs: Record<Direction, readonly number[]> = { ingress: [], egress: [] };
  readonly #blockedUntilMs: Record<Direction, number> = { ingress: -Infinity, egress: -Infinity };

  constructor(id: TunnelId, nowMs: number) {
    this.id = id;
    this.createdAtMs = nowMs;
    this.statusSinceMs = nowMs;
  }

  get ingress(): Leg | null {
    return this.#legs.ingress;
  }

  get egress(): Leg | null {
    return this.#legs.egress;
  }

  get protocol(): TunnelProtocol {
    const leg = this.ingress ?? this.egress;
    if (leg === null) throw new Error('a tunnel without legs has no protocol');
    return leg.protocol;
  }

  get isActive(): boolean {
    return this.ingress !== null && this.egress !== null;
  }

  get isEmpty(): boolean {
    return this.ingress === null && this.egress === null;
  }

  leg(direction: Direction): Leg | null {
    return this.#legs[direction];
  }

  peerOf(direction: Direction): Leg | null {
    return this.#legs[oppositeDirection(direction)];
  }

  /**
   * Puts a leg in place, over the one that is there. Returns the tunnel as it is now: paired, when the other leg is
   * there.
   */
  setLeg(leg: Leg, nowMs: number): Leg {
    const wasActive = this.isActive;
    const peer = this.peerOf(leg.direction);
    const placed = { ...leg, wasPaired: leg.wasPaired || peer !== null };
    this.#legs[leg.direction] = placed;
    if (peer !== null && !peer.wasPaired) this.#legs[peer.direction] = { ...peer, wasPaired: true };
    if (this.isActive !== wasActive) this.statusSinceMs = nowMs;
    return placed;
  }

  /** The leg as it is now; null where there is none. */
  noteTroubles(direction: Direction, troubles: readonly string[]): Leg | null {
    const leg = this.#legs[direction];
    if (leg !== null) this.#legs[direction] = { ...leg, troubles };
    return this.#legs[direction];
  }

  clearLeg(direction: Direction, nowMs: number): void {
    if (this.isActive) this.statusSinceMs = nowMs;
    this.#legs[direction] = null;
  }

  /** Whether a leg may be taken over now (docs/protocol/tunnel.md §2.7). */
  mayReplace(direction: Direction, limits: ReplacementLimits, nowMs: number): boolean {
    if (nowMs < this.#blockedUntilMs[direction]) return false;
    return this.#recentReplacements(direction, limits, nowMs).length < limits.maxReplacements;
  }

  countReplacement(direction: Direction, limits: ReplacementLimits, nowMs: number): void {
    this.#replacedAtMs[direction] = [...this.#recentReplacements(direction, limits, nowMs), nowMs];
  }

  /** A replacement was refused: there is none for a whole window, however often it is tried. */
  blockReplacement(direction: Direction, limits: ReplacementLimits, nowMs: number): void {
    if (nowMs < this.#blockedUntilMs[direction]) return;
    this.#replacedAtMs[direction] = [];
    this.#blockedUntilMs[direction] = nowMs + limits.windowMs;
  }

  #recentReplacements(direction: Direction, limits: ReplacementLimits, nowMs: number): readonly number[] {
    return this.#replacedAtMs[direction].filter((atMs) => nowMs - atMs < limits.windowMs);
  }
}
