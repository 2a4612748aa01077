import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIRECTIONS, TUNNEL_PROTOCOLS, oppositeDirection } from '../../../../src/protocol/tunnel/leg.ts';
import type { TunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { toSessionId, type SessionId } from '../../../../src/relay/tunnels/session-id.ts';
import { TunnelRegistry, type BindOutcome } from '../../../../src/relay/tunnels/tunnel-registry.ts';
import { RegistryModel, type ModelBind, type ModelLeg } from '../../../support/fakes/registry-model.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';

const settings = { maxTunnels: 3, maxTunnelsPerConnection: 2, maxReplacements: 2, windowMs: 30_000 };
const tunnelIds = [0, 1, 2, 3].map((n) => knownTunnelId(`00000000-0000-4000-8000-00000000000${n}`));
const sessionIds = [1, 2, 3, 4].map(toSessionId);

type Step =
  | ({ readonly kind: 'bind' } & ModelBind)
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

/** As those who ask the registry do: whoever is in the way and alive is named, whoever is dead is removed. */
function checkBind(step: ModelBind, model: RegistryModel, registry: TunnelRegistry): void {
  let alive: SessionId | null = null;
  for (;;) {
    const holder = model.leg(step.tunnelId, step.direction);
    const peer = model.leg(step.tunnelId, oppositeDirection(step.direction));
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
  step: ModelBind,
  holder: ModelLeg | undefined,
  peer: ModelLeg | undefined,
): void {
  const rebound = holder?.sessionId === step.sessionId;
  expect(outcome).toMatchObject({ rebound, becameActive: holder === undefined && peer !== undefined });
  expect(outcome.replaced?.sessionId).toBe(rebound ? undefined : holder?.sessionId);
  expect(outcome.peer?.wasPaired).toBe(peer?.wasPaired);
}

function take(step: Step, model: RegistryModel, registry: TunnelRegistry): void {
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

function removeWhere(model: RegistryModel, matches: (leg: ModelLeg, id: TunnelId) => boolean): void {
  for (const id of tunnelIds) {
    for (const direction of DIRECTIONS) {
      const leg = model.leg(id, direction);
      if (leg !== undefined && matches(leg, id)) model.remove(id, direction);
    }
  }
}

function compare(model: RegistryModel, registry: TunnelRegistry): void {
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
        const model = new RegistryModel(settings);
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
