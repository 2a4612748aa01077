import { describe, expect, it } from 'vitest';
import { PathMtu } from '../../../../src/quic/quiche/path-mtu.ts';

const full = 1452;

describe('path MTU', () => {
  it('falls back after three timeouts in a row that found all lost that was large', () => {
    const mtu = new PathMtu(full, 0);
    // Each finds lost what was sent up to the one before it; the rest is under way.
    mtu.onTimeout({ lost: 0, large: 4 }, 100);
    mtu.onTimeout({ lost: 4, large: 6 }, 200);
    mtu.onTimeout({ lost: 6, large: 8 }, 300);
    expect(mtu.payload).toBe(full);
    mtu.onTimeout({ lost: 8, large: 10 }, 400);
    expect(mtu.payload).toBe(1200);
  });

  it('is not moved by silence, however long, for small packets were lost as well, nor by what was lost in it', () => {
    const mtu = new PathMtu(full, 0);
    let nowMs = 0;
    for (let large = 10; large < 30; large += 2) mtu.onTimeout({ lost: 0, large }, (nowMs += 200));
    mtu.onTimeout({ lost: 28, large: 40 }, (nowMs += 200));
    for (let large = 60; large < 1000; large += 20) mtu.onTimeout({ lost: 29 + large / 20, large }, (nowMs += 200));
    expect(mtu.payload).toBe(full);
  });

  it('is not moved by timeouts that have nothing to do with each other, or with large packets', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n < 20; n += 1) mtu.onTimeout({ lost: (n - 1) * 5, large: n * 5 }, n * 10_000);
    expect(mtu.payload).toBe(full);
    const small = new PathMtu(full, 0);
    for (let n = 1; n < 20; n += 1) small.onTimeout({ lost: n, large: 0 }, n * 100);
    expect(small.payload).toBe(full);
  });

  it('is not moved by timeouts that find a part lost, for then the rest was acknowledged', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n < 20; n += 1) mtu.onTimeout({ lost: n, large: n * 10 }, n * 100);
    expect(mtu.payload).toBe(full);
  });

  it('is not moved by a handful of single packets', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n < 5; n += 1) mtu.onTimeout({ lost: n - 1, large: n }, n * 100);
    expect(mtu.payload).toBe(full);
  });

  it('falls back when as many packets are lost as were large, three times in a row', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n <= 3; n += 1) {
      expect(mtu.payload).toBe(full);
      expect(mtu.wantsJudgement(n * 10, n * 1000)).toBe(true);
      mtu.judge({ lost: n * 10, large: n * 10 }, n * 1000);
    }
    expect(mtu.payload).toBe(1200);
  });

  it('takes losses of a part for congestion', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n <= 30; n += 1) mtu.judge({ lost: n * 5, large: n * 10 }, n * 1000);
    expect(mtu.payload).toBe(full);
  });

  it('asks for a judgement only where there is something to judge', () => {
    const mtu = new PathMtu(full, 0);
    expect(mtu.wantsJudgement(4, 5000)).toBe(false);
    expect(mtu.wantsJudgement(100, 999)).toBe(false);
    expect(mtu.wantsJudgement(5, 1000)).toBe(true);
  });

  it('tries large packets again, ever more rarely while they fail, and stays with them when they pass', () => {
    const mtu = new PathMtu(full, 0);
    let nowMs = 0;
    let large = 0;
    let lost = 0;
    const fail = (times: number): void => {
      for (let n = 0; n <= times; n += 1) {
        nowMs += 200;
        lost = large;
        large += 3;
        mtu.onTimeout({ lost, large }, nowMs);
      }
    };
    fail(3);
    for (const pauseMs of [5_000, 10_000, 20_000]) {
      expect(mtu.wantsJudgement(large, nowMs + pauseMs - 1)).toBe(false);
      nowMs += pauseMs;
      expect(mtu.wantsJudgement(large, nowMs)).toBe(true);
      mtu.judge({ lost, large }, nowMs);
      expect(mtu.payload).toBe(full);
      fail(2);
      expect(mtu.payload).toBe(1200);
    }
    nowMs += 40_000;
    mtu.judge({ lost, large }, nowMs);
    nowMs += 1000;
    large += 50;
    mtu.judge({ lost: lost + 1, large }, nowMs);
    expect(mtu.payload).toBe(full);
    fail(2);
    expect(mtu.payload).toBe(full);
  });
});
