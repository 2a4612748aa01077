import { describe, expect, it } from 'vitest';
import { Budget, type Traffic } from '../../../../src/quic/quiche/budget.ts';

const none: Traffic = { receivedPackets: 0, receivedBytes: 0, usefulBytes: 0, sentPackets: 0, sentBytes: 0 };

function budget(settings: { unprovenBytes?: number; uselessBytes?: number }): Budget {
  return new Budget({ unprovenBytes: 0, uselessBytes: 0, connectionWindowBytes: 625, ...settings }, 0);
}

describe('the budget of a peer', () => {
  it('ends a connection that sends too much before it proves itself', () => {
    const judged = budget({ unprovenBytes: 1000 });
    const traffic = { ...none, receivedPackets: 1, receivedBytes: 600, usefulBytes: 500 };
    expect(judged.judge(traffic, 0)).toBeNull();
    expect(judged.judge(traffic, 0)).toBe('too much data before a bind');
    const proven = budget({ unprovenBytes: 1000 });
    proven.markProven();
    for (let n = 0; n < 100; n += 1) expect(proven.judge(traffic, 0)).toBeNull();
  });

  it('ends a connection whose packets bring nothing, beyond what may wait unread', () => {
    const judged = budget({ uselessBytes: 5000 });
    const traffic = { ...none, receivedPackets: 10, receivedBytes: 10_000 };
    expect(judged.judge(traffic, 0)).toBeNull();
    expect(judged.judge(traffic, 0)).toMatch(/^too many packets without data/);
  });

  it('counts data that turns out to be of use as that', () => {
    const judged = budget({ uselessBytes: 5000 });
    for (let n = 0; n < 50; n += 1) {
      expect(judged.judge({ ...none, receivedPackets: 10, receivedBytes: 12_000 }, 0)).toBeNull();
      expect(judged.judge({ ...none, receivedPackets: 1, receivedBytes: 1200, usefulBytes: 13_000 }, 0)).toBeNull();
    }
  });

  it('lets a peer acknowledge what it is sent, and keep its connection alive for ever', () => {
    const receiver = budget({ uselessBytes: 1000 });
    for (let n = 0; n < 10_000; n += 1) {
      const acks = { ...none, receivedPackets: 5, receivedBytes: 300, sentPackets: 10, sentBytes: 13_000 };
      expect(receiver.judge(acks, 0)).toBeNull();
    }
    const idle = budget({ uselessBytes: 1000 });
    for (let n = 1; n < 10_000; n += 1) {
      expect(idle.judge({ ...none, receivedPackets: 1, receivedBytes: 60 }, n * 5000)).toBeNull();
    }
  });

  it('does not let a little data pay for much else', () => {
    const judged = budget({ uselessBytes: 5000 });
    const traffic = { ...none, receivedPackets: 10, receivedBytes: 12_000, usefulBytes: 1 };
    expect(judged.judge(traffic, 0)).toBeNull();
    expect(judged.judge(traffic, 0)).not.toBeNull();
  });
});
