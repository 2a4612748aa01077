import { describe, expect, it } from 'vitest';
import { EventHub, type RaisedEvent } from '../../../../src/admin/event-hub.ts';
import { EventLimits } from '../../../../src/relay/events/event-limits.ts';
import { eventText } from '../../../../src/relay/events/event-text.ts';
import type { RelayEvent } from '../../../../src/relay/events/relay-event.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

const tunnelId = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

function limits(maxSources = 100): { clock: ManualClock; limits: EventLimits; heard: RaisedEvent[] } {
  const clock = new ManualClock();
  const hub = new EventHub<RelayEvent>(clock, eventText);
  const settings = { maxLimited: 2, maxUnauthenticated: 3, windowMs: 60_000, maxSources };
  const heard: RaisedEvent[] = [];
  hub.subscribe((raised) => heard.push(raised));
  return { clock, limits: new EventLimits(clock, hub, settings), heard };
}

function rejected(remoteAddr: string): RelayEvent {
  return { kind: 'bind-rejected', tunnelId, direction: 'ingress', remoteAddr, reason: 'invalid-token' };
}

function suppressed(heard: readonly RaisedEvent[]): unknown[] {
  return heard.map(({ report }) => report.details?.['suppressed']);
}

describe('the limits of events', () => {
  it('lets a few limited events of one source and kind through in a window, and counts the rest', () => {
    const { clock, limits: events, heard } = limits();
    for (let port = 1; port <= 10; port++) events.emit(rejected(`192.0.2.1:${port}`));
    expect(suppressed(heard)).toEqual([undefined, undefined]);
    clock.advance(59_999);
    events.sweep();
    expect(heard).toHaveLength(2);
    clock.advance(1);
    events.sweep();
    expect(suppressed(heard)).toEqual([undefined, undefined, 7]);
    events.emit(rejected('192.0.2.1:11'));
    expect(suppressed(heard).at(-1)).toBeUndefined();
  });

  it('limits neither another source, nor another kind, nor what an unauthenticated edge cannot cause', () => {
    const { limits: events, heard } = limits();
    for (let n = 0; n < 3; n++) events.emit(rejected('192.0.2.1:1'));
    events.emit(rejected('192.0.2.2:1'));
    events.emit({ kind: 'edge-connection-failed', remoteAddr: '192.0.2.1:1', reason: 'x' });
    for (let n = 0; n < 20; n++) events.emit({ kind: 'edge-connected', remoteAddr: '192.0.2.1:1' });
    expect(heard).toHaveLength(24);
  });

  it('lets more of the other events through, where an unauthenticated edge causes them', () => {
    const { clock, limits: events, heard } = limits();
    const bound: RelayEvent = { kind: 'tunnel-waiting', tunnelId, direction: 'ingress' };
    for (let n = 0; n < 10; n++) events.emit(bound, '192.0.2.1:1');
    events.emit(bound, '192.0.2.2:1');
    expect(heard).toHaveLength(3 + 1);
    clock.advance(60_000);
    events.sweep();
    expect(suppressed(heard).at(-1)).toBe(6);
  });

  it('takes an IPv6 /64 for one source', () => {
    const { limits: events, heard } = limits();
    for (let n = 0; n < 20; n++) events.emit(rejected(`[2001:db8:1:2::${n + 1}]:1`));
    expect(heard).toHaveLength(2);
  });

  it('counts no more sources apart than it may, so that a flood from many costs as little as from one', () => {
    const { limits: events, heard } = limits(3);
    for (let n = 0; n < 200; n++) events.emit(rejected(`192.0.2.${n}:1`));
    expect(heard).toHaveLength(3 + 2);
  });
});
