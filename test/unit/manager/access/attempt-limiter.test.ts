import { describe, expect, test } from 'vitest';
import { AttemptLimiter } from '../../../../src/manager/access/attempt-limiter.ts';

describe('AttemptLimiter', () => {
  test('lets five attempts pass in any minute and reports how long to wait', () => {
    const limiter = new AttemptLimiter(5);
    for (let second = 0; second < 5; second += 1) {
      expect(limiter.waitMs(['alice'], second * 1_000)).toBe(0);
      limiter.record(['alice'], second * 1_000);
    }
    expect(limiter.waitMs(['alice'], 5_000)).toBe(55_000);
    expect(limiter.waitMs(['bob'], 5_000)).toBe(0);
    expect(limiter.waitMs(['alice'], 60_000)).toBe(0);
  });

  test('forgets a key that succeeded', () => {
    const limiter = new AttemptLimiter(1);
    limiter.record(['alice'], 0);
    limiter.forget('alice');
    expect(limiter.waitMs(['alice'], 1)).toBe(0);
  });

  test('does not count an attempt that was withdrawn, and counts the others', () => {
    const limiter = new AttemptLimiter(2);
    limiter.record(['alice'], 0);
    limiter.record(['alice'], 10);
    limiter.withdraw('alice', 10);
    limiter.withdraw('bob', 10);
    expect(limiter.waitMs(['alice'], 20)).toBe(0);
    limiter.record(['alice'], 20);
    expect(limiter.waitMs(['alice'], 30)).toBe(59_970);
  });

  test('keeps a bounded number of keys', () => {
    const limiter = new AttemptLimiter(1);
    for (let index = 0; index < 10_001; index += 1) limiter.record([`name-${index}`], 0);
    expect(limiter.waitMs(['name-0'], 1)).toBe(0);
    expect(limiter.waitMs(['name-10000'], 1)).toBeGreaterThan(0);
  });
});
