import { describe, expect, it } from 'vitest';
import { EventHub, logEvents, type RaisedEvent } from '../../../src/admin/event-hub.ts';
import { eventText, subjectOf } from '../../../src/relay/events/event-text.ts';
import type { RelayEvent } from '../../../src/relay/events/relay-event.ts';
import { ManualClock } from '../../support/fakes/manual-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';

const tunnelId = knownTunnelId('6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f');

describe('the event hub', () => {
  it('gives each event the time at which it was raised', () => {
    const clock = new ManualClock();
    const hub = new EventHub<RelayEvent>(clock, eventText);
    const heard: RaisedEvent[] = [];
    hub.subscribe((raised) => heard.push(raised));
    hub.emit({ kind: 'secret-rotated' });
    clock.advance(1500);
    hub.emit({ kind: 'secret-rotated' });
    expect(heard.map(({ report }) => report.timestamp)).toEqual([
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:21.500Z',
    ]);
  });

  it('calls all listeners, in order, until they leave', () => {
    const hub = new EventHub<RelayEvent>(new ManualClock(), eventText);
    const calls: string[] = [];
    hub.subscribe(({ event }) => calls.push(`first ${event.kind}`));
    const leave = hub.subscribe(({ event }) => calls.push(`second ${event.kind}`));
    hub.emit({ kind: 'secret-rotated' });
    leave();
    hub.emit({ kind: 'manager-connected', url: 'wss://m/' });
    expect(calls).toEqual(['first secret-rotated', 'second secret-rotated', 'first manager-connected']);
  });

  it('logs constant messages, levels by severity, and what varies as fields', () => {
    const logger = new RecordingLogger();
    const hub = new EventHub<RelayEvent>(new ManualClock(), eventText);
    hub.subscribe(logEvents(logger, subjectOf));
    hub.emit({
      kind: 'bind-rejected',
      tunnelId,
      direction: 'ingress',
      remoteAddr: '192.0.2.1:1',
      reason: 'invalid-token',
    });
    hub.emit({ kind: 'manager-auth-failed', url: 'wss://m/', reason: 'no' });
    hub.emit({ kind: 'secret-rotated' });
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        fields: { tunnel_id: tunnelId, remote_addr: '192.0.2.1:1', direction: 'ingress', reason: 'invalid-token' },
        message: 'bind rejected',
      },
      { level: 'error', fields: { url: 'wss://m/' }, message: 'manager auth failed' },
      { level: 'info', fields: {}, message: 'secret rotated' },
    ]);
  });
});
