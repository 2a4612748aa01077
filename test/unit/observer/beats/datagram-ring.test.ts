import { describe, expect, it } from 'vitest';
import { DatagramRing } from '../../../../src/observer/beats/datagram-ring.ts';

const longMs = 3_600_000;

describe('a rest of the receiving thread', () => {
  it('does not begin where it was woken since it last looked', () => {
    const ring = new DatagramRing({ capacity: 2 });
    const { wakes } = ring;
    ring.wakeWriter();
    ring.rest(longMs, wakes);
    expect(ring.wakes).not.toBe(wakes);
  });

  it('does not begin where it is to end', () => {
    const ring = new DatagramRing({ capacity: 2 });
    const { wakes } = ring;
    ring.stop();
    ring.rest(longMs, wakes);
    expect(ring.stopping).toBe(true);
  });
});
