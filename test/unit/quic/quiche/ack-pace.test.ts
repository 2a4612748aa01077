import { describe, expect, it } from 'vitest';
import { AckPace } from '../../../../src/quic/quiche/ack-pace.ts';

/** A connection that is past its first packets. */
function settled(): AckPace {
  const acks = new AckPace();
  for (let n = 0; n < 100; n += 1) acks.onPacket();
  acks.flushed();
  return acks;
}

describe('acknowledgements', () => {
  it('are sent at once on a young connection, and where something waits for room', () => {
    const young = new AckPace();
    young.onPacket();
    expect(young.decide(false, 0)).toBe(true);
    const old = settled();
    old.onPacket();
    expect(old.decide(true, 0)).toBe(true);
  });

  it('wait for ten packets or eight milliseconds', () => {
    const acks = settled();
    for (let n = 1; n < 10; n += 1) {
      acks.onPacket();
      expect(acks.decide(false, 1000 + n)).toBe(false);
      expect(acks.dueMs).toBe(1009);
    }
    acks.onPacket();
    expect(acks.decide(false, 1010)).toBe(true);
    acks.flushed();
    expect(acks.dueMs).toBe(Number.POSITIVE_INFINITY);
    expect(acks.arrived).toBe(0);
  });
});
