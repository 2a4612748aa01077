import { describe, expect, it } from 'vitest';
import { EventLoopWatch } from '../../../src/lib/event-loop-watch.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';

/** Its timers come as late as the test says. */
class LateClock extends ManualClock {
  lateMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.lateMs;
  }
}

function turn(clock: LateClock, lateMs = 0): void {
  clock.lateMs += lateMs;
  clock.advance(250);
}

describe('the watch over the event loop', () => {
  it('tells how late the last turn was and the worst of the last seconds', () => {
    const clock = new LateClock();
    const watch = new EventLoopWatch(clock);
    watch.start();
    for (let n = 0; n < 12; n++) turn(clock);
    expect(watch.lag()).toEqual({ lastMs: 0, worstMs: 0 });
    turn(clock, 1500);
    expect(watch.lag()).toEqual({ lastMs: 1500, worstMs: 1500 });
    for (let n = 0; n < 50; n++) turn(clock);
    expect(watch.lag()).toEqual({ lastMs: 0, worstMs: 1500 });
    for (let n = 0; n < 40; n++) turn(clock);
    expect(watch.lag()).toEqual({ lastMs: 0, worstMs: 0 });
  });

  it('takes no lateness of the start for a machine that is short of CPU', () => {
    const clock = new LateClock();
    const watch = new EventLoopWatch(clock);
    watch.start();
    for (let n = 0; n < 2; n++) turn(clock, 800);
    expect(watch.lag()).toEqual({ lastMs: 800, worstMs: 0 });
    for (let n = 0; n < 4; n++) turn(clock);
    turn(clock, 300);
    expect(watch.lag()).toEqual({ lastMs: 300, worstMs: 300 });
  });

  it('counts the lateness of a machine that gives no time, however few turns there were', () => {
    const clock = new LateClock();
    const watch = new EventLoopWatch(clock);
    watch.start();
    for (let n = 0; n < 3; n++) turn(clock, 1200);
    expect(watch.lag()).toEqual({ lastMs: 1200, worstMs: 1200 });
  });

  it('holds one timer while it runs and none afterwards', () => {
    const clock = new ManualClock();
    const watch = new EventLoopWatch(clock);
    watch.start();
    watch.start();
    expect(clock.pendingTimers).toBe(1);
    watch.stop();
    watch.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
