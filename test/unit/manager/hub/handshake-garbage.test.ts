import { describe, expect, it } from 'vitest';
import { HandshakeGarbage } from '../../../../src/manager/hub/handshake-garbage.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function fleet() {
  const clock = new ManualClock();
  const bed = { collected: 0 };
  const garbage = new HandshakeGarbage(clock, () => Promise.resolve(void (bed.collected += 1)));
  clock.setInterval(() => garbage.tick(), 1_000);
  const join = (count: number): void => {
    for (let joined = 0; joined < count; joined++) garbage.joined();
  };
  return { clock, bed, join };
}

describe('the garbage of handshakes', () => {
  it('is collected once, when a fleet has come and nobody came for five seconds', () => {
    const { clock, bed, join } = fleet();
    for (let second = 0; second < 10; second++) {
      join(100);
      clock.advance(1_000);
    }
    expect(bed.collected).toBe(0);
    clock.advance(5_000);
    expect(bed.collected).toBe(1);
    clock.advance(3_600_000);
    expect(bed.collected).toBe(1);
  });

  it('of a few nodes is left to the collector', () => {
    const { clock, bed, join } = fleet();
    join(499);
    clock.advance(60_000);
    expect(bed.collected).toBe(0);
    join(1);
    clock.advance(6_000);
    expect(bed.collected).toBe(1);
  });
});
