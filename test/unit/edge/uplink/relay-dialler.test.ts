import { describe, expect, it } from 'vitest';
import { RelayDialler, type RelayDiallerSettings } from '../../../../src/edge/uplink/relay-dialler.ts';
import { AppError } from '../../../../src/lib/app-error.ts';
import type { ConnectionHandler, DialOptions, QuicConnection, SocketAddress } from '../../../../src/quic/types.ts';
import { ManualClock, settle } from '../../../support/fakes/manual-clock.ts';
import { relayTransport } from '../../../support/samples/relay-transport.ts';

const handler: ConnectionHandler = {
  onStream: () => {},
  onDatagram: () => {},
  onAddressChange: () => {},
  onClosed: () => {},
};
const relay = { host: 'relay.example.com', port: 4433 };
const running = new AbortController().signal;

/** A dialler whose dials end in `refused`, or never when `silent`; what was dialled is kept. */
function dialler(
  changes: Partial<RelayDiallerSettings> = {},
  silent = false,
  wayOut: () => Promise<string | null> = async () => null,
) {
  const clock = new ManualClock();
  const dialled: DialOptions[] = [];
  const looked: string[] = [];
  const read: string[] = [];
  const asked: SocketAddress[] = [];
  const made = new RelayDialler(
    {
      clock,
      engine: {
        dial: (options): Promise<QuicConnection> => {
          dialled.push(options);
          return new Promise((_resolve, reject) => {
            const cancel = (): void => reject(new AppError('cancelled', 'cancelled'));
            if (!silent) reject(new AppError('connect-failed', 'refused'));
            options.signal?.addEventListener('abort', cancel);
          });
        },
      },
      resolveHost: async (host) => {
        looked.push(host);
        return ['192.0.2.1', '2001:db8::1'];
      },
      readTextFile: async (path) => {
        read.push(path);
        return `PEM ${read.length}`;
      },
      wayOut: async (remote) => {
        asked.push(remote);
        return wayOut();
      },
    },
    { relay, verification: { kind: 'none' }, transport: relayTransport, ...changes },
  );
  return { clock, dialled, looked, read, asked, dial: (signal = running) => made.dial(handler, signal) };
}

describe('dialling a relay', () => {
  it('looks its name up each time and takes the addresses in turn', async () => {
    const { dial, dialled, looked } = dialler();
    for (let i = 0; i < 3; i++) await expect(dial()).rejects.toThrow('refused');
    expect(dialled.map(({ remote }) => remote)).toEqual([
      { ip: '192.0.2.1', port: 4433 },
      { ip: '2001:db8::1', port: 4433 },
      { ip: '192.0.2.1', port: 4433 },
    ]);
    expect(looked).toEqual([relay.host, relay.host, relay.host]);
  });

  it('does not look up an address', async () => {
    const { dial, dialled, looked } = dialler({ relay: { host: '2001:db8::7', port: 1 } });
    await expect(dial()).rejects.toThrow('refused');
    expect(dialled[0]?.remote).toEqual({ ip: '2001:db8::7', port: 1 });
    expect(looked).toEqual([]);
  });

  it('sends the name that existing edges send unless a CA vouches for the real one', async () => {
    const plain = dialler();
    await expect(plain.dial()).rejects.toThrow();
    expect(plain.dialled[0]).toMatchObject({ serverName: 'relay', verify: { kind: 'none' } });
    const pinned = dialler({ verification: { kind: 'fingerprint', sha256: ['ab'.repeat(32)] } });
    await expect(pinned.dial()).rejects.toThrow();
    expect(pinned.dialled[0]).toMatchObject({ serverName: 'relay', verify: { sha256: 'ab'.repeat(32) } });
  });

  it('tries each pin until the relay proves one, and that one first from then on', async () => {
    const [old, next] = ['aa'.repeat(32), 'bb'.repeat(32)];
    const pins: string[] = [];
    let shown = old;
    const made = new RelayDialler(
      {
        clock: new ManualClock(),
        engine: {
          dial: async ({ verify }): Promise<QuicConnection> => {
            const pin = verify.kind === 'fingerprint' ? verify.sha256 : '';
            pins.push(pin);
            if (pin !== shown) throw new AppError('tls-failed', 'the certificate has another fingerprint');
            return {} as QuicConnection;
          },
        },
        resolveHost: async () => ['192.0.2.1'],
        readTextFile: async () => '',
        wayOut: async () => null,
      },
      { relay, verification: { kind: 'fingerprint', sha256: [old, next] }, transport: relayTransport },
    );
    await made.dial(handler, running);
    shown = next;
    await made.dial(handler, running);
    await made.dial(handler, running);
    expect(pins).toEqual([old, old, next, next]);
    shown = 'another';
    await expect(made.dial(handler, running)).rejects.toThrow('the relay did not prove who it is');
    made.trust({ kind: 'fingerprint', sha256: ['another'] });
    await made.dial(handler, running);
    expect(pins.slice(4)).toEqual([next, old, 'another']);
  });

  it('reads the CA anew for each attempt', async () => {
    const { dial, dialled, read } = dialler({ verification: { kind: 'ca', path: '/ca.pem' } });
    await expect(dial()).rejects.toThrow('refused');
    await expect(dial()).rejects.toThrow('refused');
    expect(read).toEqual(['/ca.pem', '/ca.pem']);
    expect(dialled.map(({ serverName }) => serverName)).toEqual([relay.host, relay.host]);
    expect(dialled[1]?.verify).toEqual({ kind: 'ca', caPem: 'PEM 2', host: relay.host });
  });

  it('gives up after 6 s of handshake, and leaves no timer', async () => {
    const { clock, dial } = dialler({}, true);
    const outcome = expect(dial()).rejects.toThrow('no connection within 6 s');
    await clock.advanceAsync(6000);
    await outcome;
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['EPERM', 'no connection: this machine does not let UDP out (EPERM)'],
    ['ENETUNREACH', 'no connection: this machine has no route there (ENETUNREACH)'],
    ['ECONNREFUSED', 'no connection: nothing listens there (ECONNREFUSED)'],
    ['EMFILE', 'no connection: the system refuses to send there (EMFILE)'],
  ])('asks the system after 3 s of silence, and reports its refusal: %s', async (code, reason) => {
    const { asked, clock, dial } = dialler({}, true, async () => code);
    const outcome = expect(dial()).rejects.toThrow(reason);
    await clock.advanceAsync(2999);
    expect(asked).toEqual([]);
    await clock.advanceAsync(1);
    expect(asked).toEqual([{ ip: '192.0.2.1', port: 4433 }]);
    await clock.advanceAsync(3000);
    await outcome;
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks nothing of the system where the dial has ended before', async () => {
    const { asked, clock, dial } = dialler({}, false, async () => 'EPERM');
    await expect(dial()).rejects.toThrow('refused');
    await clock.advanceAsync(6000);
    expect(asked).toEqual([]);
  });

  it('reports a refusal only for the attempt that asked, however late the system answers', async () => {
    const [late, never] = [Promise.withResolvers<string | null>(), Promise.withResolvers<string | null>()];
    const answers = [late.promise, never.promise];
    const { asked, clock, dial } = dialler({}, true, async () => answers.shift() ?? null);
    const first = expect(dial()).rejects.toThrow('no connection within 6 s');
    await clock.advanceAsync(6000);
    await first;
    const second = expect(dial()).rejects.toThrow('no connection within 6 s');
    await settle();
    late.resolve('EPERM');
    await clock.advanceAsync(6000);
    await second;
    expect(asked).toHaveLength(2);
  });

  it('gives up after 6 s of waiting for a name', async () => {
    const clock = new ManualClock();
    const stuck = new RelayDialler(
      {
        clock,
        engine: { dial: () => Promise.reject(new Error('not reached')) },
        resolveHost: () => new Promise(() => {}),
        readTextFile: () => Promise.resolve(''),
        wayOut: async () => null,
      },
      { relay, verification: { kind: 'none' }, transport: relayTransport },
    );
    const outcome = expect(stuck.dial(handler, running)).rejects.toMatchObject({ code: 'timed-out' });
    await clock.advanceAsync(6000);
    await outcome;
  });

  it('ends with the reason of whoever stops it', async () => {
    const { clock, dial } = dialler({}, true);
    const stopping = new AbortController();
    const outcome = expect(dial(stopping.signal)).rejects.toThrow('the edge stops');
    await settle();
    stopping.abort(new Error('the edge stops'));
    await outcome;
    expect(clock.pendingTimers).toBe(0);
  });

  it('says so when a name has no address', async () => {
    const nameless = new RelayDialler(
      {
        clock: new ManualClock(),
        engine: { dial: () => Promise.reject(new Error('not reached')) },
        resolveHost: async () => [],
        readTextFile: async () => '',
        wayOut: async () => null,
      },
      { relay, verification: { kind: 'none' }, transport: relayTransport },
    );
    await expect(nameless.dial(handler, running)).rejects.toThrow('relay.example.com has no address');
  });
});
