import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DIRECTIONS,
  TUNNEL_PROTOCOLS,
  type Direction,
  type TunnelProtocol,
} from '../../../../src/protocol/tunnel/leg.ts';
import type { TunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { toSessionId, type SessionId } from '../../../../src/relay/tunnels/session-id.ts';
import { TunnelRegistry, type BindOutcome } from '../../../../src/relay/tunnels/tunnel-registry.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';

const settings = { maxTunnels: 3, maxTunnelsPerConnection: 2, maxReplacements: 2, windowMs: 30_000 };
const tunnelIds = [0, 1, 2, 3].map((n) => knownTunnelId(`00000000-0000-4000-8000-00000000000${n}`));
const sessionIds = [1, 2, 3, 4].map(toSessionId);

interface ModelLeg {
  readonly sessionId: SessionId;
  readonly protocol: TunnelProtocol;
  wasPaired: boolean;
}

/** The rules again, said as plainly as possible and without any index. */
class Model {
  readonly legs = new Map<string, ModelLeg>();
  readonly replacements = new Map<string, { times: number[]; blockedUntilMs: number }>();
  nowMs = 0;

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
    return this.tunnels().size >= settings.maxTunnels;
  }

  active(): number {
    return tunnelIds.filter((id) => DIRECTIONS.every((direction) => this.leg(id, direction) !== undefined)).length;
  }

  remove(tunnelId: TunnelId, direction: Direction): void {
    this.legs.delete(`${tunnelId} ${direction}`);
    if (this.tunnels().has(tunnelId)) return;
    for (const each of DIRECTIONS) this.replacements.delete(`${tunnelId} ${each}`);
  }

  refusal(bind: Bind): string | null {
    const { tunnelId, direction, protocol, sessionId } = bind;
    const holder = this.leg(tunnelId, direction);
    const peer = this.leg(tunnelId, other(direction));
    if (peer?.sessionId === sessionId) return 'both-legs-on-one-connection';
    if (holder?.sessionId !== sessionId && this.held(sessionId) >= settings.maxTunnelsPerConnection) {
      return 'per-connection-cap';
    }
    if (this.isFull() && !this.tunnels().has(tunnelId)) return 'tunnel-cap';
    if (peer !== undefined && peer.protocol !== protocol) return 'protocol-mismatch';
    return holder === undefined || holder.sessionId === sessionId ? null : this.takeOverRefusal(bind);
  }

  takeOverRefusal({ tunnelId, direction, authorised, ifFree }: Bind): string | null {
    if (!authorised || ifFree) return 'leg-held';
    return this.mayReplace(`${tunnelId} ${direction}`) ? null : 'replaced-too-often';
  }

  /** Whose leg a refusal is about, for the reasons that are about one. */
  inTheWay({ tunnelId, direction }: Bind, reason: string): SessionId | undefined {
    if (reason === 'protocol-mismatch') return this.leg(tunnelId, other(direction))?.sessionId;
    const aboutHolder = reason === 'leg-held' || reason === 'replaced-too-often';
    return aboutHolder ? this.leg(tunnelId, direction)?.sessionId : undefined;
  }

  bind({ tunnelId, direction, protocol, sessionId }: Bind): void {
    const holder = this.leg(tunnelId, direction);
    if (holder !== undefined && holder.sessionId !== sessionId)
      this.past(`${tunnelId} ${direction}`).times.push(this.nowMs);
    const peer = this.leg(tunnelId, other(direction));
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
    past.times = past.times.filter((at) => this.nowMs - at < settings.windowMs);
    return this.nowMs >= past.blockedUntilMs && past.times.length < settings.maxReplacements;
  }

  block(key: string): void {
    const past = this.past(key);
    if (this.nowMs < past.blockedUntilMs) return;
    past.times = [];
    past.blockedUntilMs = this.nowMs + settings.windowMs;
  }
}

interface Bind {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  readonly sessionId: SessionId;
  readonly authorised: boolean;
  readonly ifFree: boolean;
  /** Whether the session in the way is alive, if there is one. */
  readonly contestantLives: boolean;
}

type Step =
  | ({ readonly kind: 'bind' } & Bind)
  | { readonly kind: 'unbind'; readonly tunnelId: TunnelId; readonly sessionId: SessionId }
  | { readonly kind: 'remove session'; readonly sessionId: SessionId }
  | { readonly kind: 'cut'; readonly tunnelId: TunnelId; readonly sessionId: SessionId | null }
  | { readonly kind: 'wait'; readonly ms: number };

const tunnelId = fc.constantFrom(...tunnelIds);
const sessionId = fc.constantFrom(...sessionIds);

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('bind' as const),
      tunnelId,
      direction: fc.constantFrom(...DIRECTIONS),
      protocol: fc.constantFrom(...TUNNEL_PROTOCOLS),
      sessionId,
      authorised: fc.boolean(),
      ifFree: fc.boolean(),
      contestantLives: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unbind' as const), tunnelId, sessionId }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove session' as const), sessionId }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cut' as const), tunnelId, sessionId: fc.option(sessionId) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 20_000 }) }) },
);

function other(direction: Direction): Direction {
  return direction === 'ingress' ? 'egress' : 'ingress';
}

/** As those who ask the registry do: whoever is in the way and alive is named, whoever is dead is removed. */
function checkBind(step: Bind, model: Model, registry: TunnelRegistry): void {
  let alive: SessionId | null = null;
  for (;;) {
    const holder = model.leg(step.tunnelId, step.direction);
    const peer = model.leg(step.tunnelId, other(step.direction));
    const expected = model.refusal(step);
    const inTheWay = expected === null ? undefined : model.inTheWay(step, expected);
    const credential = step.authorised ? 'credential' : null;
    const outcome: BindOutcome = registry.bind({ ...step, credential, alive }, model.nowMs);
    if (outcome.kind === 'bound') {
      expect(expected).toBeNull();
      expectBound(outcome, step, holder, peer);
      model.bind(step);
      return;
    }
    if (outcome.kind === 'refused') {
      expect(outcome).toEqual({ kind: 'refused', reason: expected, holder: holder?.sessionId ?? null });
      expect(inTheWay).toBe(alive ?? undefined);
      if (expected === 'replaced-too-often') model.block(`${step.tunnelId} ${step.direction}`);
      return;
    }
    expect(outcome.by).toBe(inTheWay);
    if (step.contestantLives) alive = outcome.by;
    else take({ kind: 'remove session', sessionId: outcome.by }, model, registry);
  }
}

function expectBound(
  outcome: Extract<BindOutcome, { kind: 'bound' }>,
  step: Bind,
  holder: ModelLeg | undefined,
  peer: ModelLeg | undefined,
): void {
  const rebound = holder?.sessionId === step.sessionId;
  expect(outcome).toMatchObject({ rebound, becameActive: holder === undefined && peer !== undefined });
  expect(outcome.replaced?.sessionId).toBe(rebound ? undefined : holder?.sessionId);
  expect(outcome.peer?.wasPaired).toBe(peer?.wasPaired);
}

function take(step: Step, model: Model, registry: TunnelRegistry): void {
  switch (step.kind) {
    case 'bind':
      checkBind(step, model, registry);
      break;
    case 'unbind': {
      const direction = DIRECTIONS.find((each) => model.leg(step.tunnelId, each)?.sessionId === step.sessionId);
      const removed = registry.unbind(step.tunnelId, step.sessionId, model.nowMs);
      expect(removed?.leg.direction).toBe(direction);
      if (direction !== undefined) model.remove(step.tunnelId, direction);
      break;
    }
    case 'remove session':
      expect(registry.removeSession(step.sessionId, model.nowMs)).toHaveLength(model.held(step.sessionId));
      removeWhere(model, (leg) => leg.sessionId === step.sessionId);
      break;
    case 'cut':
      registry.cut(step.tunnelId, (leg) => step.sessionId === null || leg.sessionId === step.sessionId, model.nowMs);
      removeWhere(
        model,
        (leg, id) => id === step.tunnelId && (step.sessionId === null || leg.sessionId === step.sessionId),
      );
      break;
    case 'wait':
      model.nowMs += step.ms;
      break;
  }
}

function removeWhere(model: Model, matches: (leg: ModelLeg, id: TunnelId) => boolean): void {
  for (const id of tunnelIds) {
    for (const direction of DIRECTIONS) {
      const leg = model.leg(id, direction);
      if (leg !== undefined && matches(leg, id)) model.remove(id, direction);
    }
  }
}

function compare(model: Model, registry: TunnelRegistry): void {
  expect(registry.size).toBe(model.tunnels().size);
  expect(registry.activeTunnels).toBe(model.active());
  for (const id of tunnelIds) {
    for (const direction of DIRECTIONS) {
      const leg = registry.get(id)?.[direction] ?? null;
      const expected = model.leg(id, direction) ?? null;
      if (leg === null || expected === null) expect(leg).toBe(expected);
      else expect(leg).toMatchObject(expected);
    }
  }
  for (const id of sessionIds) {
    expect(registry.heldBinds(id)).toBe(model.held(id));
    expect(registry.tunnelsOf(id)).toHaveLength(model.held(id));
  }
}

describe('the tunnel registry', () => {
  it('does what a plain model of its rules does, in any order of calls', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
        const model = new Model();
        const registry = new TunnelRegistry(settings);
        for (const step of sequence) {
          take(step, model, registry);
          compare(model, registry);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('does not let the late close of an old connection take its successor away', () => {
    const registry = new TunnelRegistry(settings);
    const [id = knownTunnelId('')] = tunnelIds;
    const bind = {
      tunnelId: id,
      direction: 'egress',
      protocol: 'udp',
      credential: 'c',
      ifFree: false,
      alive: null,
    } as const;
    registry.bind({ ...bind, sessionId: toSessionId(1) }, 0);
    registry.bind({ ...bind, sessionId: toSessionId(2) }, 0);
    expect(registry.removeSession(toSessionId(1), 0)).toEqual([]);
    expect(registry.get(id)?.egress?.sessionId).toBe(2);
  });

  it('does not block a leg for an attempt that was only contested', () => {
    const registry = new TunnelRegistry(settings);
    const [id = knownTunnelId('')] = tunnelIds;
    const bind = {
      tunnelId: id,
      direction: 'egress',
      protocol: 'udp',
      credential: 'c',
      ifFree: false,
      alive: null,
    } as const;
    for (const n of [1, 2, 3]) registry.bind({ ...bind, sessionId: toSessionId(n) }, n);
    const claim = { ...bind, sessionId: toSessionId(4) };
    expect(registry.bind(claim, 10)).toEqual({ kind: 'contested', by: 3 });
    expect(registry.bind(claim, 1 + settings.windowMs)).toEqual({ kind: 'contested', by: 3 });
    expect(registry.bind({ ...claim, alive: toSessionId(1) }, 20)).toEqual({ kind: 'contested', by: 3 });
    expect(registry.bind(claim, 2 + settings.windowMs)).toMatchObject({ kind: 'bound', replaced: { sessionId: 3 } });
  });

  it('remembers since when a tunnel is active or waits', () => {
    const registry = new TunnelRegistry(settings);
    const [id = knownTunnelId('')] = tunnelIds;
    const bind = { tunnelId: id, protocol: 'udp', credential: 'c', ifFree: false, alive: null } as const;
    registry.bind({ ...bind, direction: 'egress', sessionId: toSessionId(1) }, 1);
    registry.bind({ ...bind, direction: 'ingress', sessionId: toSessionId(2) }, 5);
    expect(registry.get(id)?.statusSinceMs).toBe(5);
    registry.bind({ ...bind, direction: 'egress', sessionId: toSessionId(3) }, 7);
    expect(registry.get(id)?.statusSinceMs).toBe(5);
    registry.unbind(id, toSessionId(2), 9);
    expect(registry.get(id)).toMatchObject({ statusSinceMs: 9, createdAtMs: 1, protocol: 'udp' });
    expect(registry.peakTunnels).toBe(1);
  });
});
