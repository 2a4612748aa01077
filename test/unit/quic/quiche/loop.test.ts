import { describe, expect, it } from 'vitest';
import { Loop, type LoopMember } from '../../../../src/quic/quiche/loop.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

/** A connection that takes `tookMs` to send, and notes the time that it was given. */
function member(clock: ManualClock, tookMs: number, times: number[]): LoopMember {
  return {
    receiveQueued: false,
    transmitQueued: false,
    receive: () => undefined,
    transmit: (nowMs) => {
      times.push(nowMs);
      clock.advance(tookMs);
      return false;
    },
  };
}

describe('the loop of a quiche engine', () => {
  it('reads the clock for each connection that sends, for the process may have stood still since the last one', async () => {
    const clock = new ManualClock();
    const startMs = clock.monotonicMs();
    const loop = new Loop(clock);
    const times: number[] = [];
    for (let n = 0; n < 3; n++) loop.planTransmit(member(clock, 3000, times));
    await new Promise((resolve) => setImmediate(resolve));
    expect(times).toEqual([startMs, startMs + 3000, startMs + 6000]);
  });
});
