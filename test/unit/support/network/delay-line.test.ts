import { describe, expect, it } from 'vitest';
import { DelayLine } from '../../../support/network/delay-line.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

describe('a delay line', () => {
  it('delivers in the order of time, and what has one time in the order of coming', () => {
    const clock = new ManualClock();
    const line = new DelayLine(clock);
    const delivered: string[] = [];
    const nowMs = clock.monotonicMs();
    for (const [name, afterMs] of [
      ['late', 30],
      ['first', 5],
      ['second', 5],
      ['third', 6],
      ['middle', 20],
    ] as const) {
      line.add(nowMs + afterMs, () => delivered.push(name));
    }
    clock.advance(30);
    expect(delivered).toEqual(['first', 'second', 'third', 'middle', 'late']);
  });

  it('delivers nothing before its time and nothing after it was stopped', () => {
    const clock = new ManualClock();
    const line = new DelayLine(clock);
    const [startMs, times] = [clock.monotonicMs(), [] as number[]];
    for (let each = 50; each >= 1; each--) line.add(startMs + each, () => times.push(clock.monotonicMs() - startMs));
    clock.advance(20);
    line.stop();
    clock.advance(60);
    expect(times).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });
});
