import { describe, expect, it } from 'vitest';
import { PathWidth } from '../../../../src/edge/tunnel/path-width.ts';

const wide = { pathMtu: 1452, maxDatagramSize: 1414 };
/** A path of 1 420 bytes, as WireGuard has it. */
const wireguard = { pathMtu: 1392, maxDatagramSize: 1354 };
const least = { pathMtu: 1200, maxDatagramSize: 1162 };

describe('the width of a path to the relay', () => {
  it('is reported once when the search for it is over and SRT does not fit, before anything is sent', () => {
    const width = new PathWidth();
    expect(width.sample(0, null)).toBeNull();
    expect(width.sample(1000, least)).toBeNull();
    expect(width.sample(15_999, wireguard)).toBeNull();
    expect(width.sample(16_000, wireguard)).toEqual({ pathMtu: 1392, payloadBytes: 1310 });
    expect(width.sample(17_000, wireguard)).toBeNull();
    expect(width.sample(18_000, least)).toEqual({ pathMtu: 1200, payloadBytes: 1118 });
  });

  it('is nothing to tell where SRT fits', () => {
    const width = new PathWidth();
    width.sample(0, least);
    for (const nowMs of [14_000, 30_000, 60_000]) expect(width.sample(nowMs, wide)).toBeNull();
  });
});
