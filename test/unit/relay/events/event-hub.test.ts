import { describe, expect, it } from 'vitest';
import { EventHub, type RaisedEvent } from '../../../../src/relay/events/event-hub.ts';
import { createLogSink } from '../../../../src/relay/events/log-sink.ts';
import type { RelayEvent } from '../../../../src/relay/events/relay-event.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

const tunnelId = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

function hub(maxSources = 100): { clock: ManualClock; hub: EventHub; heard: RaisedEvent[] } {
  const clock = new ManualClock();
  const events = new EventHub(clock, { maxRejections: 2, maxByStrangers: 3, windowMs: 60_000, maxSources });
  const heard: RaisedEvent[] = [];
  events.subscribe((raised) => heard.push(raised));
  return { clock, hub: events, heard };
}

function rejected(remoteAddr: string): RelayEvent {
  return { kind: 'bind-rejected', tunnelId, direction: 'ingress', remoteAddr, reason: 'invalid-token' };
}

function suppressed(heard: readonly RaisedEvent[]): unknown[] {
  return heard.map(({ report }) => report.details?.['suppressed']);
}

describe('the event hub', () => {
  it('gives each event the time at which it was raised', () => {
    const { clock, hub: events, heard } = hub();
    events.emit({ kind: 'secret-rotated' });
    clock.advance(1500);
    events.emit({ kind: 'secret-rotated' });
    expect(heard.map(({ report }) => report.timestamp)).toEqual([
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:21.500Z',
    ]);
  });

  it('tells all listeners, in order, until they leave', () => {
    const { hub: events, heard } = hub();
    const other: RaisedEvent[] = [];
    const leave = events.subscribe((raised) => other.push(raised));
    events.emit({ kind: 'secret-rotated' });
    leave();
    events.emit({ kind: 'manager-connected', url: 'wss://m/' });
    expect([heard.length, other.length]).toEqual([2, 1]);
  });

  it('lets a few rejections of one source and kind through in a window, and counts the rest', () => {
    const { clock, hub: events, heard } = hub();
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

  it('limits neither another source, nor another kind, nor what no stranger can cause', () => {
    const { hub: events, heard } = hub();
    for (let n = 0; n < 3; n++) events.emit(rejected('192.0.2.1:1'));
    events.emit(rejected('192.0.2.2:1'));
    events.emit({ kind: 'edge-connection-failed', remoteAddr: '192.0.2.1:1', reason: 'x' });
    for (let n = 0; n < 20; n++) events.emit({ kind: 'edge-connected', remoteAddr: '192.0.2.1:1' });
    expect(heard).toHaveLength(24);
  });

  it('lets more of what is no rejection through, where a stranger is named who can cause it at will', () => {
    const { clock, hub: events, heard } = hub();
    const bound: RelayEvent = { kind: 'tunnel-waiting', tunnelId, direction: 'ingress' };
    for (let n = 0; n < 10; n++) events.emit(bound, '192.0.2.1:1');
    events.emit(bound, '192.0.2.2:1');
    expect(heard).toHaveLength(3 + 1);
    clock.advance(60_000);
    events.sweep();
    expect(suppressed(heard).at(-1)).toBe(6);
  });

  it('takes an IPv6 /64 for one source', () => {
    const { hub: events, heard } = hub();
    for (let n = 0; n < 20; n++) events.emit(rejected(`[2001:db8:1:2::${n + 1}]:1`));
    expect(heard).toHaveLength(2);
  });

  it('tells apart no more sources than it may, so that many strangers cost as little as one', () => {
    const { hub: events, heard } = hub(3);
    for (let n = 0; n < 200; n++) events.emit(rejected(`192.0.2.${n}:1`));
    expect(heard).toHaveLength(3 + 2);
  });
});

describe('the log sink', () => {
  it('writes constant messages, levels by severity, and what varies as fields', () => {
    const logger = new RecordingLogger();
    const { hub: events } = hub();
    events.subscribe(createLogSink(logger));
    events.emit(rejected('192.0.2.1:1'));
    events.emit({ kind: 'manager-auth-failed', url: 'wss://m/', reason: 'no' });
    events.emit({ kind: 'secret-rotated' });
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: { tunnel_id: tunnelId, remote_addr: '192.0.2.1:1', direction: 'ingress' },
        message: 'bind rejected',
      },
      { level: 'error', fields: { url: 'wss://m/' }, message: 'manager auth failed' },
      { level: 'info', fields: {}, message: 'secret rotated' },
    ]);
  });
});
