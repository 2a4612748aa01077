import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, SystemClock } from '../../../src/lib/clock.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

const dayMs = 86_400_000;

describe('SystemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells wall time and a time that never goes back', () => {
    const clock = new SystemClock();
    vi.setSystemTime(5_000);
    const startedAtMs = clock.monotonicMs();
    expect(clock.now()).toBe(5_000);
    vi.advanceTimersByTime(7);
    expect(clock.now()).toBe(5_007);
    expect(clock.monotonicMs() - startedAtMs).toBeCloseTo(7);
  });

  it('calls back once after the delay', () => {
    const callback = vi.fn();
    new SystemClock().setTimeout(callback, 50);
    vi.advanceTimersByTime(49);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('waits longer than one timer of Node can', () => {
    const callback = vi.fn();
    new SystemClock().setTimeout(callback, 60 * dayMs);
    vi.advanceTimersByTime(60 * dayMs - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  it('cancels a long wait in its second part', () => {
    const callback = vi.fn();
    const timer = new SystemClock().setTimeout(callback, 30 * dayMs);
    vi.advanceTimersByTime(29 * dayMs);
    timer.cancel();
    vi.advanceTimersByTime(2 * dayMs);
    expect(callback).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('calls back every period until the end of the block that owns the timer', () => {
    const callback = vi.fn();
    {
      using timer = new SystemClock().setInterval(callback, 10);
      expect(timer).toBeDefined();
      vi.advanceTimersByTime(35);
    }
    vi.advanceTimersByTime(100);
    expect(callback).toHaveBeenCalledTimes(3);
  });
});

const clocks: [string, () => Clock][] = [
  ['SystemClock', () => new SystemClock()],
  ['ManualClock', () => new ManualClock()],
];

describe.each(clocks)('%s', (_name, create) => {
  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a delay of %d', (delayMs) => {
    expect(() => create().setTimeout(() => {}, delayMs)).toThrow(RangeError);
  });

  it.each([0, -1, Number.NaN, 2 ** 31])('refuses a period of %d', (periodMs) => {
    expect(() => create().setInterval(() => {}, periodMs)).toThrow(RangeError);
  });

  it('ignores a second cancel', () => {
    const timer = create().setTimeout(() => {}, 5);
    timer.cancel();
    timer.cancel();
    timer[Symbol.dispose]();
  });
});
