import { describe, expect, it } from 'vitest';
import { arrivalNs } from '../../../../src/observer/beats/arrival-time.ts';

const nsPerMs = 1e6;
const readNs = 1000 * nsPerMs;

describe('the time at which a datagram came', () => {
  it.each([
    ['that waited for 3 ms', 3, 997],
    ['that is read at once', 0, 1000],
    ['that came later than now, after the clock was set back', -7, 1000],
    ['that waited for an hour, after the clock was set forward', 3_600_000, 1000],
  ])('of one %s', (_name, ageMs, cameMs) => {
    expect(arrivalNs(readNs, ageMs * nsPerMs)).toBe(cameMs * nsPerMs);
  });
});
