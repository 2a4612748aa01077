import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timers, type TimerMember } from '../../../../src/quic/quiche/timers.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

class Member implements TimerMember {
  heapIndex = -1;
  dueMs = 0;
  readonly called: number[] = [];

  onDeadline(nowMs: number): void {
    this.called.push(nowMs);
  }
}

describe('timers', () => {
  it('call each member once, in its time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 60 }), (delays) => {
        const clock = new ManualClock();
        const timers = new Timers(clock);
        const members = delays.map((delay) => {
          const member = new Member();
          timers.set(member, delay);
          return member;
        });
        clock.advance(600);
        expect(members.map((member) => member.called)).toEqual(delays.map((delay) => [delay]));
        expect(clock.pendingTimers).toBe(0);
      }),
    );
  });

  it('follow the last time that was set, and forget who is removed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.nat(9), delay: fc.option(fc.integer({ min: 1, max: 100 })) }), { maxLength: 80 }),
        (steps) => {
          const clock = new ManualClock();
          const timers = new Timers(clock);
          const members = Array.from({ length: 10 }, () => new Member());
          const due = new Map<number, number>();
          for (const { who, delay } of steps) {
            const member = members[who];
            if (member === undefined) continue;
            if (delay === null) timers.remove(member);
            else timers.set(member, delay);
            if (delay === null) due.delete(who);
            else due.set(who, delay);
          }
          clock.advance(200);
          members.forEach((member, who) => {
            const delay = due.get(who);
            expect(member.called).toEqual(delay === undefined ? [] : [delay]);
          });
        },
      ),
    );
  });

  it('set no timer anew for a member that is put off', () => {
    const clock = new ManualClock();
    const timers = new Timers(clock);
    const member = new Member();
    timers.set(member, 10);
    timers.set(member, 50);
    expect(clock.nextTimerMs).toBe(10);
    clock.advance(49);
    expect(member.called).toEqual([]);
    clock.advance(1);
    expect(member.called).toEqual([50]);
  });

  it('leave no timer behind when the last member goes', () => {
    const clock = new ManualClock();
    const timers = new Timers(clock);
    const member = new Member();
    timers.set(member, 10);
    timers.remove(member);
    timers.remove(member);
    expect(clock.pendingTimers).toBe(0);
  });
});
