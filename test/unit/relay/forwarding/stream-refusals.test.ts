import { describe, expect, it } from 'vitest';
import { StreamRefusals } from '../../../../src/relay/forwarding/stream-refusals.ts';
import { tunnelNumber } from '../../../support/samples/sample-relay.ts';

const [one, two] = [tunnelNumber(1), tunnelNumber(2)];

describe('data streams that a relay refuses', () => {
  it('are counted in all and by tunnel, until the tunnel has no leg any more', () => {
    const refusals = new StreamRefusals();
    refusals.add('edge_full', one);
    refusals.add('edge_full', one);
    refusals.add('no_peer', two);
    refusals.add('relay_full', null);
    expect(refusals.all).toEqual({ edge_full: 2, no_peer: 1, relay_full: 1 });
    expect([refusals.ofTunnel(one), refusals.ofTunnel(two)]).toEqual([{ edge_full: 2 }, { no_peer: 1 }]);
    refusals.forget(one);
    expect(refusals.ofTunnel(one)).toEqual({});
    expect(refusals.all).toMatchObject({ edge_full: 2 });
  });

  it('are reported where a limit is the reason, once a minute at most for each tunnel', () => {
    const refusals = new StreamRefusals();
    for (const reason of ['edge_full', 'no_peer', 'bad_header'] as const) refusals.add(reason, one);
    refusals.add('relay_full', null);
    const window = { count: 1, windowSecs: 60 };
    expect(refusals.reports(0)).toEqual([
      { reason: 'relay_full', tunnelId: null, ...window },
      { reason: 'edge_full', tunnelId: one, ...window },
    ]);
    refusals.add('edge_full', one);
    refusals.add('edge_full', two);
    expect(refusals.reports(1000)).toEqual([{ reason: 'edge_full', tunnelId: two, ...window }]);
    expect(refusals.reports(60_000)).toEqual([{ reason: 'edge_full', tunnelId: one, ...window }]);
  });
});
