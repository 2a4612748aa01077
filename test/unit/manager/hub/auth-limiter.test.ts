import { describe, expect, it } from 'vitest';
import { AuthLimiter } from '../../../../src/manager/hub/auth-limiter.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

function limiter() {
  const clock = new ManualClock();
  return { clock, limits: new AuthLimiter(clock) };
}

describe('failed authentications', () => {
  it('MA4 lock an id for the address that failed five times, for a minute', () => {
    const { clock, limits } = limiter();
    for (let tries = 0; tries < 5; tries++) {
      expect(limits.isLocked('n', 'a')).toBe(false);
      limits.failed('n', 'a');
    }
    expect([limits.isLocked('n', 'a'), limits.isLocked('n', 'b'), limits.isLocked('m', 'a')]).toEqual([
      ...[true, false, false],
    ]);
    clock.advance(60_000);
    expect(limits.isLocked('n', 'a')).toBe(false);
  });

  it('MA4 of many addresses lock an id, but not for the address where it once succeeded', () => {
    const { limits } = limiter();
    limits.succeeded('n', 'home');
    for (let stranger = 0; stranger < 50; stranger++) limits.failed('n', `stranger-${stranger}`);
    expect([limits.isLocked('n', 'new'), limits.isLocked('n', 'home')]).toEqual([true, false]);
  });

  it('with tokens, of however many addresses, lock no other address out of registering', () => {
    const { limits } = limiter();
    for (let stranger = 0; stranger < 500; stranger++) limits.failed(null, `stranger-${stranger % 100}`);
    expect([limits.isLocked(null, 'stranger-1'), limits.isLocked(null, 'site')]).toEqual([true, false]);
  });
});
