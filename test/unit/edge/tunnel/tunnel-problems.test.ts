import { describe, expect, it } from 'vitest';
import type { EdgeTunnelReport } from '../../../../src/edge/admin/edge-schemas.ts';
import { tunnelProblems } from '../../../../src/edge/tunnel/tunnel-problems.ts';
import { parseRfc3339 } from '../../../../src/lib/clock.ts';
import { sampleEdgeTunnel } from '../../../support/samples/sample-edge.ts';
import { tunnelNumber } from '../../../support/samples/sample-relay.ts';

const nowMs = parseRfc3339('2026-04-02T12:10:00.000Z');
const [first, second] = sampleEdgeTunnel(tunnelNumber(1)).relays;
if (first === undefined || second === undefined) throw new Error('the sample has two relays');

function problems(changes: Partial<EdgeTunnelReport>): readonly string[] {
  return tunnelProblems(sampleEdgeTunnel(tunnelNumber(1), changes), nowMs);
}

describe('what is wrong with a tunnel that is up', () => {
  it.each([
    [
      { ...second, state: 'connecting' },
      ['no fail-over: no leg at the relay relay-b.example:4433 (the relay no longer answers)'],
    ],
    [{ ...second, state: 'down', last_problem: null }, ['no fail-over: no leg at the relay relay-b.example:4433']],
    [{ ...second, state: 'waiting' }, ['no fail-over: the other edge is not at the relay relay-b.example:4433']],
    [{ ...second, state: 'ready', suspect: true }, ['no fail-over: the relay relay-b.example:4433 does not answer']],
    [{ ...second, state: 'ready' }, []],
  ] as const)('is a second relay that could not take over: %o', (relay, expected) => {
    expect(problems({ relays: [first, relay] })).toEqual(expected);
  });

  it('is not reported for a tunnel with one relay, or of one that is not up', () => {
    expect(problems({ relays: [first] })).toEqual([]);
    expect(problems({ state: 'waiting' })).toEqual([]);
  });

  it('is a fault that stands, for ten minutes after its last time', () => {
    const trouble = {
      kind: 'local',
      cause: 'nothing listens there',
      count: 3,
      since: '2026-04-02T11:00:00.000Z',
    } as const;
    const at = (lastAt: string): readonly string[] =>
      problems({ relays: [first], troubles: [{ ...trouble, last_at: lastAt }] });
    expect(at('2026-04-02T12:00:00.000Z')).toEqual([
      'nothing takes what arrives for 127.0.0.1:5000: nothing listens there',
    ]);
    expect(at('2026-04-02T11:59:59.000Z')).toEqual([]);
  });
});
