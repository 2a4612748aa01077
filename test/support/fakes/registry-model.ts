import {
  DIRECTIONS,
  oppositeDirection,
  type Direction,
  type TunnelProtocol,
} from '../../../src/protocol/tunnel/leg.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import type { SessionId } from '../../../src/relay/tunnels/session-id.ts';
import type { RegistrySettings } from '../../../src/relay/tunnels/tunnel-registry.ts';

export interface ModelBind {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  readonly sessionId: SessionId;
  readonly authorised: boolean;
  readonly ifFree: boolean;
  /** Whether the session in the way is alive, if there is one. */
  readonly contestantLives: boolean;
}

export interface ModelLeg {
  readonly sessionId: SessionId;
  readonly protocol: TunnelProtocol;
  wasPaired: boolean;
}

/** The rules of `TunnelRegistry` again, as plainly as possible and without any index. */
export class RegistryModel {
  readonly #settings: RegistrySettings;
  readonly legs = new Map<string, ModelLeg>();
  readonly replacements = new Map<string, { times: number[]; blockedUntilMs: number }>();
  nowMs = 0;

  constructor(settings: RegistrySettings) {
    this.#settings = settings;
  }

  leg(tunnelId: TunnelId, direction: Direction): ModelLeg | undefined {
    return this.legs.get(`${tunnelId} ${direction}`);
  }

  held(sessionId: SessionId): number {
    return [...this.legs.values()].filter((leg) => leg.sessionId === sessionId).length;
  }

  tunnels(): Set<string> {
    return new Set([...this.legs.keys()].map((key) => key.split(' ')[0] ?? ''));
  }

  isFull(): boolean {
    return this.tunnels().size >= this.#settings.maxTunnels;
  }

  active(): number {
    return [...this.tunnels()].filter((id) => DIRECTIONS.every((direction) => this.legs.has(`${id} ${direction}`)))
      .length;
  }

  remove(tunnelId: TunnelId, direction: Direction): void {
    this.legs.delete(`${tunnelId} ${direction}`);
    if (this.tunnels().has(tunnelId)) return;
    for (const each of DIRECTIONS) this.replacements.delete(`${tunnelId} ${each}`);
  }

  refusal(bind: ModelBind): string | null {
    const { tunnelId, direction, protocol, sessionId } = bind;
    const holder = this.leg(tunnelId, direction);
    const peer = this.leg(tunnelId, oppositeDirection(direction));
    if (peer?.sessionId === sessionId) return 'both-legs-on-one-connection';
    if (holder?.sessionId !== sessionId && this.held(sessionId) >= this.#settings.maxTunnelsPerConnection) {
      return 'per-connection-cap';
    }
    if (this.isFull() && !this.tunnels().has(tunnelId)) return 'tunnel-cap';
    if (peer !== undefined && peer.protocol !== protocol) return 'protocol-mismatch';
    return holder === undefined || holder.sessionId === sessionId ? null : this.takeOverRefusal(bind);
  }

  takeOverRefusal({ tunnelId, direction, authorised, ifFree }: ModelBind): string | null {
    if (!authorised || ifFree) return 'leg-held';
    return this.mayReplace(`${tunnelId} ${direction}`) ? null : 'replaced-too-often';
  }

  /** The session of the leg that a refusal is about, for the reasons that are about one. */
  inTheWay({ tunnelId, direction }: ModelBind, reason: string): SessionId | undefined {
    if (reason === 'protocol-mismatch') return this.leg(tunnelId, oppositeDirection(direction))?.sessionId;
    const aboutHolder = reason === 'leg-held' || reason === 'replaced-too-often';
    return aboutHolder ? this.leg(tunnelId, direction)?.sessionId : undefined;
  }

  bind({ tunnelId, direction, protocol, sessionId }: ModelBind): void {
    const holder = this.leg(tunnelId, direction);
    if (holder !== undefined && holder.sessionId !== sessionId)
      this.past(`${tunnelId} ${direction}`).times.push(this.nowMs);
    const peer = this.leg(tunnelId, oppositeDirection(direction));
    if (peer !== undefined) peer.wasPaired = true;
    const kept = holder?.sessionId === sessionId && holder.wasPaired;
    this.legs.set(`${tunnelId} ${direction}`, { sessionId, protocol, wasPaired: kept || peer !== undefined });
  }

  past(key: string): { times: number[]; blockedUntilMs: number } {
    const past = this.replacements.get(key) ?? { times: [], blockedUntilMs: -1 };
    this.replacements.set(key, past);
    return past;
  }

  mayReplace(key: string): boolean {
    const past = this.past(key);
    past.times = past.times.filter((at) => this.nowMs - at < this.#settings.windowMs);
    return this.nowMs >= past.blockedUntilMs && past.times.length < this.#settings.maxReplacements;
  }

  block(key: string): void {
    const past = this.past(key);
    if (this.nowMs < past.blockedUntilMs) return;
    past.times = [];
    past.blockedUntilMs = this.nowMs + this.#settings.windowMs;
  }
}
