import { describe, expect, it } from 'vitest';
import { PathMtu } from '../../../../src/quic/quiche/path-mtu.ts';

const full = 1452;

describe('path MTU', () => {
  it('falls back after three timeouts in a row in which nothing was acknowledged', () => {
    const mtu = new PathMtu(full, 0);
    mtu.onProbeTimeout({ lost: 0, large: 4 }, 100);
    mtu.onProbeTimeout({ lost: 0, large: 5 }, 300);
    expect(mtu.payload).toBe(full);
    mtu.onProbeTimeout({ lost: 0, large: 6 }, 700);
    expect(mtu.payload).toBe(1200);
  });

  it('is not moved by timeouts that have nothing to do with each other, or with large packets', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n < 20; n += 1) mtu.onProbeTimeout({ lost: 0, large: n }, n * 10_000);
    expect(mtu.payload).toBe(full);
    const small = new PathMtu(full, 0);
    for (let n = 1; n < 20; n += 1) small.onProbeTimeout({ lost: n, large: 0 }, n * 100);
    expect(small.payload).toBe(full);
  });

  it('is not moved by timeouts between which losses were reported, for then something was acknowledged', () => {
    const mtu = new PathMtu(full, 0);
    for (let n = 1; n < 20; n += 1) mtu.onProbeTimeout({ lost: n, large: n * 10 }, n * 100);
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
    const fail = (times: number): void => {
      for (let n = 0; n < times; n += 1) {
        nowMs += 200;
        large += 1;
        mtu.onProbeTimeout({ lost: 0, large }, nowMs);
      }
    };
    fail(3);
    for (const pauseMs of [5_000, 10_000, 20_000]) {
      expect(mtu.wantsJudgement(large, nowMs + pauseMs - 1)).toBe(false);
      nowMs += pauseMs;
      expect(mtu.wantsJudgement(large, nowMs)).toBe(true);
      mtu.judge({ lost: 0, large }, nowMs);
      expect(mtu.payload).toBe(full);
      fail(2);
      expect(mtu.payload).toBe(1200);
    }
    nowMs += 40_000;
    mtu.judge({ lost: 0, large }, nowMs);
    nowMs += 1000;
    large += 50;
    mtu.judge({ lost: 1, large }, nowMs);
    expect(mtu.payload).toBe(full);
    fail(2);
    expect(mtu.payload).toBe(full);
  });
});
