import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeEvent,
  EVENT_CATEGORIES,
  EVENT_SEVERITIES,
  parseEvent,
  type NodeEvent,
} from '../../../../src/protocol/node/node-event.ts';
import { parseTunnelId } from '../../../../src/protocol/tunnel/tunnel-id.ts';
import { tunnelIds } from '../../../support/samples/arbitraries.ts';

const flowId = parseTunnelId('550e8400-e29b-41d4-a716-446655440000') ?? expect.fail('a UUID');
const golden =
  '{"type":"event","timestamp":"2026-04-02T12:00:00Z","payload":{"severity":"warning","category":"tunnel",' +
  '"message":"Tunnel bind rejected: invalid token","flow_id":"550e8400-e29b-41d4-a716-446655440000",' +
  '"details":{"remote_addr":"198.51.100.4:40000"}}}';

const rejected: NodeEvent = {
  timestamp: '2026-04-02T12:00:00Z',
  severity: 'warning',
  category: 'tunnel',
  message: 'Tunnel bind rejected: invalid token',
  flowId,
  details: { remote_addr: '198.51.100.4:40000' },
};

const twoDigits = (max: number) => fc.integer({ min: 1, max }).map((n) => String(n).padStart(2, '0'));
const timestamps = fc
  .tuple(twoDigits(12), twoDigits(28), twoDigits(23), twoDigits(59))
  .map(([month, day, hour, minute]) => `2026-${month}-${day}T${hour}:${minute}:00.123Z`);
// The reader drops this one name, which no event has, rather than touch a prototype.
const detailNames = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');

const events: fc.Arbitrary<NodeEvent> = fc.record(
  {
    timestamp: timestamps,
    severity: fc.constantFrom(...EVENT_SEVERITIES),
    category: fc.constantFrom(...EVENT_CATEGORIES),
    message: fc.string({ unit: 'grapheme' }),
    flowId: tunnelIds,
    details: fc.dictionary(detailNames, fc.oneof(fc.string(), fc.integer())),
  },
  { requiredKeys: ['timestamp', 'severity', 'category', 'message'] },
);

describe('event', () => {
  it('is written as in the contract', () => {
    expect(encodeEvent(rejected)).toBe(golden);
  });

  it('leaves out what it does not have', () => {
    const connected: NodeEvent = { timestamp: rejected.timestamp, severity: 'info', category: 'manager', message: 'm' };
    expect(encodeEvent(connected)).toBe(
      '{"type":"event","timestamp":"2026-04-02T12:00:00Z","payload":{"severity":"info","category":"manager","message":"m"}}',
    );
  });

  it('comes back from its frame as it was', () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(parseEvent(encodeEvent(event))).toEqual(JSON.parse(JSON.stringify(event)));
      }),
    );
  });

  it('is not read from a line that is torn anywhere', () => {
    for (let at = 0; at < golden.length; at++) expect(parseEvent(golden.slice(0, at))).toBeNull();
    expect(parseEvent(golden)).toEqual(rejected);
  });

  it.each([
    golden.replace('"event"', '"stats"'),
    golden.replace('warning', 'fatal'),
    golden.replace('"tunnel"', '"weather"'),
    golden.replace('550e8400', 'nope'),
    golden.replace('2026-04-02T12:00:00Z', 'yesterday'),
    golden.replace('{"remote_addr":"198.51.100.4:40000"}', '[]'),
    'null',
  ])('is not read from another frame: %s', (frame) => {
    expect(parseEvent(frame)).toBeNull();
  });
});
