import { describe, expect, it } from 'vitest';
import { FreshIntake } from '../../../src/lib/fresh-intake.ts';
import { StallWatch } from '../../../src/lib/stall-watch.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const batch = 4;

/** A socket in turns of an event loop, by hand. */
class Socket {
  readonly clock = new ManualClock();
  readonly fresh: number[] = [];
  readonly late: number[] = [];
  readonly #afterReads: (() => void)[] = [];
  readonly #stalls = new StallWatch(this.clock, (callback) => this.#afterReads.push(callback));
  readonly #watching = this.#stalls.use();
  readonly #intake = new FreshIntake<number>(
    { maxAgeMs: 100, behindMs: 200, batch },
    {
      clock: this.clock,
      stalls: this.#stalls,
      afterReads: (callback) => this.#afterReads.push(callback),
      onFresh: (item) => this.fresh.push(item),
      onLate: (item) => this.late.push(item),
    },
  );

  /** Timers, then reads, then what follows them. */
  turn(items: readonly number[], tookMs = 1): void {
    this.clock.advance(tookMs);
    for (const item of items) this.#intake.take(item);
    for (const callback of this.#afterReads.splice(0)) callback();
  }

  /** The process does not run between two reads of one turn. */
  interruptedTurn(before: readonly number[], stoodMs: number, after: readonly number[]): void {
    this.clock.advance(1);
    for (const item of before) this.#intake.take(item);
    this.clock.stall(stoodMs);
    for (const item of after) this.#intake.take(item);
    for (const callback of this.#afterReads.splice(0)) callback();
  }

  /** The process does not run; its timers come late. */
  standStill(durationMs: number): void {
    this.clock.stall(durationMs);
  }

  [Symbol.dispose](): void {
    this.#watching[Symbol.dispose]();
  }
}

describe('what a socket reads', () => {
  it('is fresh while the process keeps up, bursts included', () => {
    using socket = new Socket();
    for (let turn = 0; turn < 200; turn++) socket.turn(turn % 10 === 0 ? [1, 2, 3, 4] : [1]);
    expect(socket.late).toEqual([]);
    expect(socket.fresh.length).toBe(20 * 4 + 180);
  });

  it('is late after the process stood still, but for the latest share', () => {
    using socket = new Socket();
    socket.turn([0]);
    socket.standStill(1000);
    const waiting = Array.from({ length: 10 }, (_, index) => index + 1);
    socket.turn(waiting.slice(0, 4));
    socket.turn(waiting.slice(4, 8));
    socket.turn(waiting.slice(8));
    expect([...socket.late, ...socket.fresh.slice(1)]).toEqual(waiting);
    expect(socket.late.length).toBeGreaterThanOrEqual(9);
    socket.turn([11]);
    expect(socket.fresh.at(-1)).toBe(11);
  });

  it('is late, but for the latest share, when the process stood still between two reads of one turn', () => {
    using socket = new Socket();
    socket.turn([0]);
    socket.interruptedTurn([1], 1000, [2, 3, 4]);
    socket.turn([5, 6]);
    expect(socket.fresh).toEqual([0, 1]);
    expect(socket.late).toEqual([2, 3, 4, 5, 6]);
    socket.turn([7]);
    expect(socket.fresh.at(-1)).toBe(7);
  });

  it('is fresh after a turn that took no longer than it may wait', () => {
    using socket = new Socket();
    socket.turn([0]);
    socket.standStill(180);
    socket.turn([1, 2, 3]);
    expect(socket.late).toEqual([]);
  });

  it('is late when full batches show for longer than that that the process falls behind', () => {
    using socket = new Socket();
    for (let turn = 0; turn < 40; turn++) socket.turn([1, 2, 3, 4], 10);
    socket.turn([5], 10);
    expect(socket.late.length).toBeGreaterThan(0);
    expect(socket.late.length + socket.fresh.length).toBe(161);
    const lateBefore = socket.late.length;
    for (let turn = 0; turn < 20; turn++) socket.turn([6], 10);
    expect(socket.late.length).toBe(lateBefore);
  });
});
