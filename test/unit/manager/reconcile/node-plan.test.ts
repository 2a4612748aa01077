import { describe, expect, it } from 'vitest';
import { categories, kinds, leg, PlanBed, pushedLeg, settings } from './plan-bed.ts';

describe('a leg', () => {
  it('MC1 is pushed on replay, and the push succeeded event reports it', () => {
    const bed = new PlanBed();
    expect(bed.online([leg()])).toMatchObject([{ kind: 'push', cause: 'replay' }]);
    const answered = bed.ack();
    expect(answered[0]).toMatchObject({ kind: 'record-pushed', status: 'pushed', generation: 1 });
    expect(categories(answered)).toEqual(['config_sync.push_succeeded']);
    expect(bed.plan.phase).toBe('settling');
  });

  it('MC1 that an operator changes while the node is there is pushed at once, without an event', () => {
    const bed = new PlanBed();
    bed.online([]);
    expect(bed.take({ kind: 'leg-changed', leg: leg() })).toMatchObject([{ kind: 'push', cause: 'direct' }]);
    expect(categories(bed.ack())).toEqual([]);
  });

  it('MC1 that fails is failed with its error, and reported once for each error text', () => {
    const bed = new PlanBed();
    bed.online([leg()]);
    const failed = bed.nack('port in use', 'leg', 'port_conflict');
    expect(failed[0]).toMatchObject({ kind: 'record-failed', error: 'port in use', errorCode: 'port_conflict' });
    expect(categories(failed)).toEqual(['config_sync.push_failed']);
    bed.wait(34_000);
    expect(bed.pushes()).toHaveLength(2);
    expect(categories(bed.nack('port in use'))).toEqual([]);
    bed.wait(34_000);
    expect(categories(bed.nack('another'))).toEqual(['config_sync.push_failed']);
  });

  it('MC1 that is failed at replay is pushed, and its success is reported', () => {
    const bed = new PlanBed();
    bed.online([leg({ status: 'failed', error: 'x', pushedGeneration: 1 })]);
    expect(categories(bed.ack())).toEqual(['config_sync.push_succeeded']);
  });

  it('MC1 whose node leaves is recorded as left, and nothing of the session survives', () => {
    const bed = new PlanBed();
    bed.online([leg()]);
    const { pushId } = bed.push();
    expect(bed.take({ kind: 'offline' })).toEqual([{ kind: 'record-left' }]);
    expect(bed.take({ kind: 'answer', legId: 'leg', pushId, ok: true })).toEqual([]);
    expect(bed.plan.phase).toBe('offline');
  });

  it('MC1 that is to go is removed by success, by not found, and by a config without it', () => {
    const bed = new PlanBed();
    const absent = (id: string) => leg({ id, want: 'absent' });
    bed.online([absent('a'), absent('b'), absent('c')]);
    expect(kinds(bed.ack('a'))).toContain('record-absent');
    expect(kinds(bed.nack('Tunnel not found', 'b', 'not_found'))).toContain('record-absent');
    bed.nack('disk full', 'c');
    expect(kinds(bed.compare({ tunnels: [] }))).toContain('record-absent');
    expect(bed.plan.legs).toEqual([]);
  });

  it('MC1 is not pushed while its keys are not known', () => {
    const bed = new PlanBed();
    expect(kinds(bed.online([leg({ pushable: false })]))).toEqual([]);
    expect(bed.plan.phase).toBe('settling');
  });
});

describe('answers', () => {
  it('MC3 that come twice, late, or for another push change nothing', () => {
    const bed = new PlanBed();
    bed.online([leg()]);
    const { pushId } = bed.push();
    expect(bed.ack('leg', pushId + 7)).toEqual([]);
    bed.ack();
    expect(bed.ack('leg', pushId)).toEqual([]);
    expect(bed.take({ kind: 'answer', legId: 'leg', pushId, ok: false, error: 'late' })).toEqual([]);
    expect(bed.statuses).toEqual(['pushed']);
  });
});

describe('a leg that changes during its push', () => {
  it.each([true, false])('MC4 is pending again after the answer (success: %s), and the last value is pushed', (ok) => {
    const bed = new PlanBed();
    bed.online([leg()]);
    const { pushId } = bed.push();
    bed.take({ kind: 'leg-changed', leg: leg({ generation: 2 }) });
    expect(bed.pushes()).toHaveLength(1);
    const answered = bed.take({ kind: 'answer', legId: 'leg', pushId, ok, error: 'x' });
    expect(answered[0]).toMatchObject({ status: 'pending' });
    expect(bed.push().leg.generation).toBe(2);
    bed.ack();
    expect(bed.plan.legs).toMatchObject([{ status: 'pushed', pushedGeneration: 2 }]);
  });

  it('MC4 is pushed with its last value when the push had not been sent yet', () => {
    const bed = new PlanBed();
    bed.online([leg()]);
    const { pushId } = bed.push();
    bed.take({ kind: 'leg-changed', leg: leg({ generation: 2 }) });
    bed.take({ kind: 'leg-changed', leg: leg({ generation: 2 }), voidPush: pushId });
    expect(bed.push()).toMatchObject({ leg: { generation: 2 } });
    bed.ack();
    expect(bed.plan.legs).toMatchObject([{ status: 'pushed', pushedGeneration: 2 }]);
  });

  it('MC6 and several changes while the node is away are one push, of the last', () => {
    const bed = new PlanBed();
    bed.take({ kind: 'leg-changed', leg: leg({ generation: 2 }) });
    bed.take({ kind: 'leg-changed', leg: leg({ generation: 3 }) });
    bed.online([leg({ generation: 3 })]);
    bed.ack();
    bed.wait(60_000);
    expect(bed.pushes().map((push) => push.leg.generation)).toEqual([3]);
  });
});

describe('retries', () => {
  it('MC2 come 30 s after a lost answer, spread by 3 s', () => {
    const bed = new PlanBed();
    bed.online([leg()]);
    bed.nack('Command timed out waiting for node response (10s)');
    bed.wait(26_000);
    expect(bed.pushes()).toHaveLength(1);
    bed.wait(8_000);
    expect(bed.pushes()).toHaveLength(2);
    bed.ack();
    expect(bed.statuses).toEqual(['pushed']);
  });

  it('back off to five minutes after ten equal errors', () => {
    const bed = new PlanBed({ ghostAfterMs: 0 });
    bed.online([leg()]);
    for (let tries = 0; tries < 16; tries++) {
      const known = bed.pushes().length;
      bed.nack('no');
      for (let waited = 0; bed.pushes().length === known && waited < 310; waited++) bed.wait(1000);
    }
    const known = bed.pushes().length;
    bed.nack('no');
    bed.wait(290_000);
    expect(bed.pushes()).toHaveLength(known);
  });
});

describe('the order of pushes', () => {
  it('is flows, relay legs, edge legs, and no more at once than the node takes', () => {
    const bed = new PlanBed({ maxInFlight: { edge: 2, relay: 64 } });
    const flow = leg({ id: 'z-flow', resource: 'flow', role: 'flow' });
    bed.online([leg({ id: 'a' }), leg({ id: 'b', role: 'relay' }), flow]);
    expect(bed.actions.map((action) => (action.kind === 'push' ? action.leg.id : ''))).toEqual(['z-flow', 'b']);
    bed.ack('b');
    expect(bed.push('a').kind).toBe('push');
  });

  it('MC9 holds an edge leg until its relay knows the tunnel, at most ten seconds', () => {
    const bed = new PlanBed();
    bed.online([leg({ id: 'a', waitsForOthers: true }), leg({ id: 'b', waitsForOthers: true })]);
    expect(bed.pushes('a')).toEqual([]);
    bed.take({ kind: 'released', tunnelId: 'tunnel-of-a' });
    expect(bed.pushes('a')).toHaveLength(1);
    bed.wait(9_000);
    expect(bed.pushes('b')).toEqual([]);
    bed.wait(2_000);
    expect(bed.pushes('b')).toHaveLength(1);
  });
});

describe('a relay that a tunnel leaves', () => {
  it('keeps the tunnel until its edges have changed over, for however long, and is compared meanwhile', () => {
    const bed = new PlanBed();
    bed.online([leg({ id: 'a', role: 'relay', want: 'absent', waitsForOthers: true })], 'relay');
    bed.take({ kind: 'authorized', digests: null });
    bed.wait(600_000);
    expect(bed.pushes('a')).toEqual([]);
    expect(bed.plan.phase).toBe('steady');
    expect(bed.plan.heldTunnels).toEqual(['tunnel-of-a']);
    bed.take({ kind: 'released', tunnelId: 'tunnel-of-a' });
    expect(bed.pushes('a')).toHaveLength(1);
  });
});

describe('a relay', () => {
  const relayLeg = (change = {}) =>
    leg({ role: 'relay', digest: 'd', resourceId: 't', pushedGeneration: 1, ...change });

  it('MC7 that holds what it should is confirmed without a push or an event', () => {
    const bed = new PlanBed();
    expect(kinds(bed.online([relayLeg()], 'relay'))).toEqual(['list-authorized']);
    const actions = bed.take({ kind: 'authorized', digests: new Map([['t', 'd']]) });
    expect(kinds(actions)).toEqual(['record-confirmed']);
    expect(bed.statuses).toEqual(['pushed']);
  });

  it.each([
    ['does not know the command', null],
    ['holds other tokens', new Map([['t', 'other']])],
    ['holds nothing', new Map<string, string>()],
  ])('MC7 that %s gets the leg again', (_what, digests) => {
    const bed = new PlanBed();
    bed.online([relayLeg()], 'relay');
    bed.take({ kind: 'authorized', digests });
    expect(bed.pushes()).toHaveLength(1);
    expect(categories(bed.ack())).toEqual([]);
  });

  it('MC7 whereas an edge leg that was pushed is not pushed again', () => {
    const bed = new PlanBed();
    bed.online([pushedLeg()]);
    bed.wait(60_000);
    expect(bed.pushes()).toEqual([]);
  });

  it('that cannot be compared is steady all the same, and reports it', () => {
    const bed = new PlanBed();
    bed.online([], 'relay');
    bed.take({ kind: 'authorized', digests: null });
    expect(bed.wait(6_000)).toContainEqual({ kind: 'compared', possible: false });
    expect(bed.plan.phase).toBe('steady');
  });
});

describe('a node that flaps', () => {
  it.each(['replaying', 'settling', 'fetching', 'steady'])('MC5 while %s ends steady', (phase) => {
    const bed = new PlanBed();
    bed.online([leg()]);
    if (phase !== 'replaying') bed.ack();
    if (phase === 'fetching' || phase === 'steady') bed.wait(settings.settleMs);
    if (phase === 'steady') bed.take({ kind: 'config', content: { tunnels: [] } });
    expect(bed.plan.phase).toBe(phase);
    bed.take({ kind: 'offline' });
    bed.online([leg()]);
    bed.ack();
    bed.compare({ tunnels: [{ id: 'tunnel-of-leg', name: 'camera', local_addr: '127.0.0.1:1' }] });
    expect(bed.plan.phase).toBe('steady');
  });
});

describe('a leg that stays failed', () => {
  const ghosts = (bed: PlanBed) => bed.actions.filter(({ kind }) => kind === 'ghost').length;

  it('ME1 is a ghost after 300 s on a node that is online, not after 299', () => {
    const bed = new PlanBed({ retryMs: 1_000_000 });
    bed.online([leg()]);
    bed.nack('no');
    bed.wait(299_000);
    expect(ghosts(bed)).toBe(0);
    bed.wait(1_000);
    expect(ghosts(bed)).toBe(1);
    bed.wait(60_000);
    expect(ghosts(bed)).toBe(1);
  });

  it('ME1 does not age while the node is away, nor before it was tried, nor by a clock that jumps', () => {
    const bed = new PlanBed({ retryMs: 1_000_000 });
    bed.online([leg({ status: 'failed', failedForMs: 290_000, pushable: false })]);
    bed.wait(60_000);
    expect(ghosts(bed)).toBe(0);
    const other = new PlanBed({ retryMs: 1_000_000 });
    other.online([leg({ failedForMs: 290_000 })]);
    other.nack('no');
    other.nowMs += 86_400_000;
    other.take({ kind: 'tick' });
    expect(ghosts(other)).toBe(0);
  });

  it('ME1 keeps how long it failed through a restart, and starts anew after an edit', () => {
    const bed = new PlanBed({ retryMs: 1_000_000 });
    bed.online([leg()]);
    bed.nack('no');
    const stored = bed.wait(90_000).filter(({ kind }) => kind === 'record-failed-for');
    expect(stored).toHaveLength(3);
    bed.take({ kind: 'leg-changed', leg: leg({ generation: 2 }) });
    bed.nack('no');
    bed.wait(290_000);
    expect(ghosts(bed)).toBe(0);
  });
});
