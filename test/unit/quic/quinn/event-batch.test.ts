import { describe, expect, it } from 'vitest';
import { tellEvents, type EventSink } from '../../../../src/quic/quinn/event-batch.ts';

/** What native/src/events.rs writes for one event of each kind; its own test compares the same bytes. */
const oneOfEach = Buffer.from(
  '0107000000090000000151110000090000003132372e302e302e31' +
    '0207000000000000000000084051110000090000003132372e302e302e31bb010000030000003a3a31' +
    '030700000051110000090000003132372e302e302e310400000073696c65' +
    '0400000000000008400104000000776f6f66' +
    '0500000000000008400101000000000000104003000000627965' +
    '06000000000000084000000000000010400700000000000008400000000000001040' +
    '08000000000000084000000000000010400900000000000008400000000000001040' +
    '00000000000053400a0000000000001440' +
    '0b000000000000084051110000090000003132372e302e302e31' +
    '0c000000000000084003000000010203' +
    '0d070000000400000066656c6c0e070000000f000000000000084001000000' +
    '10000000000000144000000000000018401100000000000018401200000000000018400200000' +
    '06e6f130000000000001840020000006f6b1400000000000014400400000066756c6c' +
    '1500000000000014400400000066756c6c',
  'hex',
);

/** A sink that notes every call; `fail` makes the calls of that name throw. */
function recorder(fail?: keyof EventSink): { readonly sink: EventSink; readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  const sink = new Proxy({} as EventSink, {
    get:
      (_, name) =>
      (...args: unknown[]) => {
        calls.push([name, ...args.map((arg) => (arg instanceof Uint8Array ? [...arg] : arg))]);
        if (name === fail) throw new Error(`${name} broke its promise`);
      },
  });
  return { sink, calls };
}

const remote = { ip: '127.0.0.1', port: 4433 };

describe('a batch of events of the native engine', () => {
  it('is told in order, each event with its fields', () => {
    const { sink, calls } = recorder();
    tellEvents(oneOfEach, sink);
    expect(calls).toEqual([
      ['incoming', 7, 9, true, remote],
      ['connected', 7, 3, remote, { ip: '::1', port: 443 }],
      ['handshakeFailed', 7, remote, 'sile'],
      ['dialFailed', 3, 'tls-failed', 'woof'],
      ['closed', 3, { kind: 'peer-application', code: 4, reason: 'bye' }],
      ['streamOpened', 3, 4],
      ['readable', 3, 4],
      ['writable', 3, 4],
      ['stopped', 3, 4, 76],
      ['spliceEnded', 5],
      ['addressChanged', 3, remote],
      ['datagram', 3, [1, 2, 3]],
      ['listenerFailed', 7, 'fell'],
      ['listenerClosed', 7],
      ['lateDatagrams', 3, 1],
      ['localAccepted', 5, 6],
      ['localConnected', 6],
      ['localFailed', 6, 'no'],
      ['localEnded', 6, 'ok'],
      ['localListenerError', 5, 'full'],
      ['localUdpError', 5, 'full'],
    ]);
  });

  it('that is empty tells nothing', () => {
    const { sink, calls } = recorder();
    tellEvents(new Uint8Array(), sink);
    expect(calls).toEqual([]);
  });

  it('reaches the handlers of later events when one throws, and then says so', () => {
    const { sink, calls } = recorder('closed');
    expect(() => tellEvents(oneOfEach, sink)).toThrow('closed broke its promise');
    expect(calls.at(-1)).toEqual(['localUdpError', 5, 'full']);
  });

  it('of a newer addon is refused', () => {
    expect(() => tellEvents(Uint8Array.of(200), recorder().sink)).toThrow('event kind 200');
  });
});
