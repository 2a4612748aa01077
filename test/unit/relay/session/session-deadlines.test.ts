import { describe, expect, it } from 'vitest';
import { tunnelDownReason } from '../../../../src/protocol/tunnel/tunnel-down-reason.ts';
import { pairTunnel as id } from '../../../support/programs/relay-pair.ts';
import { bind, SessionBed as Bed } from '../../../support/programs/session-bed.ts';

describe('the deadlines of a session', () => {
  it.each([
    ['opening', 5000, 'control stream not opened in time'],
    ['unproven', 10_000, 'no tunnel bound in time'],
    ['leaving', 500, 'bind refused'],
  ] as const)('%s ends after %i ms with "%s"', (phase, dueMs, reason) => {
    const { session } = Bed.in(phase);
    expect(session.deadlineMs).toBe(dueMs);
    expect(session.tick(dueMs - 1)).toEqual([]);
    expect(session.tick(dueMs)).toEqual([{ kind: 'close', reason }]);
    expect([session.phase, session.deadlineMs]).toEqual(['closed', null]);
  });

  it('of the first bind runs from the control stream on (conformance A2)', () => {
    const bed = Bed.in('opening');
    bed.session.controlOpened(4000);
    expect(bed.session.deadlineMs).toBe(14_000);
  });

  it('of a refusal starts anew with each further one, for 5 s at most', () => {
    const bed = Bed.in('leaving');
    const refused = { kind: 'refused', reason: tunnelDownReason.legHeld } as const;
    bed.session.answerBind(id, refused, 400);
    expect(bed.session.deadlineMs).toBe(900);
    for (let nowMs = 800; nowMs < 4900; nowMs += 400) bed.session.answerBind(id, refused, nowMs);
    expect(bed.session.deadlineMs).toBe(5000);
  });

  it('of a refusal does not outlast that of the first bind', () => {
    const bed = Bed.in('unproven');
    bed.session.answerBind(id, { kind: 'refused', reason: tunnelDownReason.legHeld }, 9900);
    expect(bed.session.deadlineMs).toBe(10_000);
  });

  it('of a refusal waits for a further bind that is not answered yet', () => {
    const bed = Bed.in('leaving');
    bed.tell(bind);
    expect(bed.session.deadlineMs).toBe(10_000);
    expect(bed.session.tick(9000)).toEqual([]);
    bed.session.answerBind(id, { kind: 'refused', reason: tunnelDownReason.legHeld }, 1400);
    expect(bed.session.deadlineMs).toBe(1900);
  });

  it('of a refusal is lifted by a bind that succeeds', () => {
    const bed = Bed.in('leaving');
    bed.held = 1;
    bed.session.answerBind(id, { kind: 'waiting' }, 100);
    expect(bed.session.deadlineMs).toBeNull();
  });
});
