import { describe, expect, it } from 'vitest';
import { HandshakeQueue } from '../../../src/manager/handshake-queue.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

/** So many connections, named by their number; which of them have begun is kept in order. */
function queueOf(count: number) {
  const clock = new ManualClock();
  const queue = new HandshakeQueue(clock);
  const begun: number[] = [];
  for (let number = 0; number < count; number++) queue.enter(`${number}`, () => begun.push(number));
  return { clock, queue, begun };
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('connections that come at once', () => {
  it('begin 200 at a time, in the order in which they came', () => {
    const { queue, begun } = queueOf(500);
    expect(begun).toEqual(numbers(0, 200));
    for (const number of [3, 1, 2]) queue.leave(`${number}`);
    expect(begun).toEqual(numbers(0, 203));
    for (const number of numbers(0, 500)) queue.leave(`${number}`);
    expect(begun.slice(0, 203)).toEqual(numbers(0, 203));
  });

  it('that end while they wait are never begun', () => {
    const { queue, begun } = queueOf(202);
    queue.leave('200');
    queue.leave('0');
    expect(begun).toEqual([...numbers(0, 200), 201]);
  });

  it('and say nothing hold up the others for a second', () => {
    const { clock, queue, begun } = queueOf(201);
    clock.advance(999);
    expect(begun).toHaveLength(200);
    clock.advance(1);
    expect(begun).toHaveLength(201);
    for (const number of numbers(0, 201)) queue.leave(`${number}`);
    expect(clock.pendingTimers).toBe(0);
  });
});
