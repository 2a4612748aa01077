import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/lib/app-error.ts';
import { createQuinnEngine } from '../../../../src/quic/quinn/quinn-engine.ts';
import type { TransportSettings } from '../../../../src/quic/transport-settings.ts';
import type { CloseInfo } from '../../../../src/quic/connection-report.ts';
import type {
  ConnectionHandler,
  IncomingDecision,
  QuicConnection,
  QuicEngine,
  QuicStream,
  SocketAddress,
} from '../../../../src/quic/types.ts';
import { FakeAddon, fakeRemote, remoteFields } from '../../../support/fakes/fake-addon.ts';

const transport = { alpn: 'test' } as TransportSettings;
const listenOptions = {
  address: { ip: '127.0.0.1', port: 0 },
  tls: { certificate: 'c', privateKey: 'k' },
  transport,
  resetKey: new Uint8Array(32),
  retryAfterHandshakesPerSec: 5,
};
const dialOptions = { remote: fakeRemote, serverName: 'relay', verify: { kind: 'none' }, transport } as const;

/** Notes what a connection's handler hears. */
class Hearer implements ConnectionHandler {
  readonly heard: unknown[] = [];
  readonly streams: QuicStream[] = [];
  onStream(stream: QuicStream): void {
    this.streams.push(stream);
    stream.setHandler({
      onReadable: () => this.heard.push(['readable', stream.id]),
      onWritable: () => this.heard.push(['writable', stream.id]),
      onStopped: (code) => this.heard.push(['stopped', stream.id, code]),
    });
  }
  onDatagram(payload: Uint8Array): void {
    this.heard.push(['datagram', payload.length]);
  }
  onAddressChange(remote: SocketAddress): void {
    this.heard.push(['moved', remote]);
  }
  onClosed(info: CloseInfo): void {
    this.heard.push(['closed', info.kind]);
  }
}

interface Bed {
  readonly fake: FakeAddon;
  readonly engine: QuicEngine;
  readonly hearer: Hearer;
  readonly connection: QuicConnection;
}

/** An engine with one dialled connection, number 3. */
async function connected(): Promise<Bed> {
  const fake = new FakeAddon();
  const engine = createQuinnEngine(fake.addon);
  const hearer = new Hearer();
  const dialled = engine.dial(dialOptions, hearer);
  fake.say(2, ['u32', 0], ['id', 3], ...remoteFields, ...remoteFields).notify();
  return { fake, engine, hearer, connection: await dialled };
}

const closedByPeer = [5, ['id', 3], ['u8', 1], ['u8', 1], ['id', 0], ['text', 'bye']] as const;

describe('the adapter of the native engine', () => {
  it('dials, tells the handler what happens, and forgets a connection when its end was told', async () => {
    const { fake, hearer, connection } = await connected();
    fake
      .say(11, ['id', 3], ...remoteFields)
      .say(12, ['id', 3], ['text', 'abc'])
      .say(...closedByPeer)
      .say(12, ['id', 3], ['text', 'late']);
    fake.notify();
    expect(connection.remote).toEqual(fakeRemote);
    expect(hearer.heard).toEqual([
      ['moved', fakeRemote],
      ['datagram', 3],
      ['closed', 'peer-application'],
    ]);
    expect(fake.callsOf('forget')).toEqual([[3]]);
  });

  it.each([
    [0, 'connect-failed'],
    [1, 'tls-failed'],
    [2, 'timed-out'],
  ] as const)('rejects a dial that failed for reason %i with %s', async (why, code) => {
    const fake = new FakeAddon();
    const dialled = createQuinnEngine(fake.addon).dial(dialOptions, new Hearer());
    fake.say(4, ['id', 3], ['u8', why], ['text', 'so']).notify();
    await expect(dialled).rejects.toMatchObject({ code, message: 'no QUIC connection: so' });
  });

  it('gives up a dial that is cancelled', async () => {
    const fake = new FakeAddon();
    const abort = new AbortController();
    const dialled = createQuinnEngine(fake.addon).dial({ ...dialOptions, signal: abort.signal }, new Hearer());
    abort.abort();
    await expect(dialled).rejects.toMatchObject({ code: 'cancelled' });
    expect(fake.callsOf('close')).toEqual([[3, 0, '']]);
  });

  it('gives the errors of the addon their codes', async () => {
    const fake = new FakeAddon();
    const engine = createQuinnEngine(fake.addon);
    fake.answers.set('listen', () => {
      const message = '127.0.0.1:443: Permission denied (os error 13)';
      throw Object.assign(new Error(message), { code: 'address-unavailable' });
    });
    const refused = engine.listen(listenOptions, listenerHandler());
    await expect(refused).rejects.toMatchObject({
      code: 'address-unavailable',
      message: expect.stringMatching(/^cannot listen on UDP \S+: this program may not take it \(EACCES\); /) as string,
    });
    fake.answers.set('dial', () => {
      throw new Error('what?');
    });
    await expect(engine.dial(dialOptions, new Hearer())).rejects.toMatchObject({ code: 'bug' });
  });

  it('asks the listener about attempts, and refuses where the answer fails', async () => {
    const fake = new FakeAddon();
    const decisions: (IncomingDecision | Error)[] = ['accept', 'retry', 'ignore', new Error('no idea')];
    await createQuinnEngine(fake.addon).listen(listenOptions, listenerHandler(decisions));
    for (let attempt = 0; attempt < 4; attempt += 1)
      fake.say(1, ['u32', 7], ['u32', attempt], ['u8', 0], ...remoteFields);
    expect(() => fake.notify()).toThrow('no idea');
    expect(fake.callsOf('answer')).toEqual([
      [7, 0, 0],
      [7, 1, 1],
      [7, 2, 3],
      [7, 3, 2],
    ]);
  });

  it('closes its listeners and connections before its thread, once', async () => {
    const { fake, engine } = await connected();
    const listener = await engine.listen(listenOptions, listenerHandler());
    expect(listener.socketSendBufferBytes).toBeNull();
    const closing = engine.close();
    expect(engine.close()).toBe(closing);
    expect(fake.callsOf('closeListener')).toEqual([[7, 'engine closed']]);
    expect(fake.callsOf('shutdown')).toEqual([]);
    fake.say(...closedByPeer).say(14, ['u32', 7]);
    fake.notify();
    await closing;
    expect(fake.callsOf('shutdown')).toEqual([[]]);
    expect(engine.report().counters).toMatchObject({ unboundSender: 1, malformed: 2, strayPackets: 3, sendErrors: 0 });
    await expect(engine.dial(dialOptions, new Hearer())).rejects.toThrow(AppError);
  });

  it('has all calls of a batch carried out together, also when a handler fails', async () => {
    const { fake, engine, hearer } = await connected();
    hearer.onDatagram = (): void => {
      engine.report();
      throw new Error('no handler may');
    };
    fake.calls.length = 0;
    fake.say(12, ['id', 3], ['text', 'abc']);
    expect(() => fake.notify()).toThrow('no handler may');
    expect(fake.calls.map(([method]) => method)).toEqual(['drain', 'report', 'answered']);
  });

  it('closes at once when it was never used', async () => {
    const fake = new FakeAddon();
    const engine = createQuinnEngine(fake.addon);
    await engine.close();
    expect(fake.calls).toEqual([]);
    expect(engine.report().connections).toBe(0);
  });
});

describe('a stream of the native engine', () => {
  it('is told of until both directions are over', async () => {
    const { fake, hearer } = await connected();
    fake.say(6, ['id', 3], ['id', 4]).say(7, ['id', 3], ['id', 4]).notify();
    const [stream] = hearer.streams;
    fake.answers.set('read', -2);
    expect(stream?.read(10)).toEqual({ kind: 'finished' });
    fake.say(8, ['id', 3], ['id', 4]).say(9, ['id', 3], ['id', 4], ['id', 76]).notify();
    fake.say(8, ['id', 3], ['id', 4]).say(7, ['id', 3], ['id', 4]).notify();
    expect(hearer.heard).toEqual([
      ['readable', 4],
      ['writable', 4],
      ['stopped', 4, 76],
    ]);
    expect(stream?.read(10)).toEqual({ kind: 'finished' });
    expect(fake.callsOf('read')).toHaveLength(1);
    expect(stream?.write(Buffer.from('nobody wants it'))).toBe(true);
    expect(fake.callsOf('write')).toEqual([]);
  });

  it('reads bytes, nothing, or the code of a reset', async () => {
    const { fake, connection } = await connected();
    fake.answers.set('openStream', 0);
    const stream = connection.openBidi();
    const answers = [Buffer.from('abcd'), Buffer.from('ab'), 77];
    fake.answers.set('read', () => answers.shift());
    expect(stream?.read(4)).toEqual({ kind: 'data', bytes: Buffer.from('abcd') });
    expect(stream?.read(4)).toEqual({ kind: 'data', bytes: Buffer.from('ab') });
    // The engine is not asked again before it has said that there is more.
    expect(stream?.read(4)).toEqual({ kind: 'blocked' });
    expect(fake.callsOf('read')).toHaveLength(2);
    fake.say(7, ['id', 3], ['id', 0]).notify();
    expect(stream?.read(10)).toEqual({ kind: 'reset', code: 77 });
    expect(stream?.read(10)).toEqual({ kind: 'reset', code: 77 });
  });

  it('goes one way when it is unidirectional', async () => {
    const { fake, connection } = await connected();
    fake.answers.set('openStream', 2);
    const stream = connection.openUni();
    expect(stream?.bidirectional).toBe(false);
    expect(stream?.read(1)).toEqual({ kind: 'reset', code: 0 });
    stream?.stop(1);
    expect(fake.callsOf('stop')).toEqual([]);
    fake.answers.set('openStream', -1);
    expect(connection.openUni()).toBeNull();
  });

  it('is silent once it is spliced, until the splice ends', async () => {
    const { fake, engine, hearer, connection } = await connected();
    fake.say(6, ['id', 3], ['id', 4]).notify();
    const [stream] = hearer.streams;
    fake.answers.set('openStream', 1).set('splice', 50);
    const other = connection.openBidi();
    let ended = 0;
    const [forward, backward] = [engine.createLedger(), engine.createLedger()];
    if (stream === undefined || other === null) throw new Error('no streams');
    const splice = stream.splice(other, { forward, backward, lostCode: 3, onEnd: () => (ended += 1) });
    splice.abort(9);
    expect(fake.callsOf('abortSplice')).toEqual([[50, 9]]);
    fake.say(7, ['id', 3], ['id', 4]).say(10, ['id', 50]).say(10, ['id', 50]).notify();
    expect([hearer.heard, ended]).toEqual([[], 1]);
  });
});

describe('routes and ledgers of the native engine', () => {
  it('cross the boundary as numbers', async () => {
    const { fake, engine, connection } = await connected();
    const ledger = engine.createLedger();
    fake.answers.set('setRoute', 12);
    const prefix = new Uint8Array(16).fill(1);
    const route = connection.routeDatagrams(prefix, { kind: 'drop', reason: 'wrong_protocol' }, ledger);
    prefix.fill(2);
    route.withdraw();
    connection.routeDatagrams(prefix, { kind: 'forward', to: connection }, ledger);
    expect(fake.callsOf('setRoute').map((args) => args.slice(0, 4))).toEqual([
      [3, new Uint8Array(16).fill(1), -1, 4],
      [3, new Uint8Array(16).fill(2), 3, 0],
    ]);
    expect(fake.callsOf('withdrawRoute')).toEqual([[3, new Uint8Array(16).fill(1), 12]]);
    expect(ledger.totals()).toMatchObject({ datagramsIn: 5, streamBytes: 70, drops: { no_peer: 1, closing: 1 } });
    expect([ledger.dropped, ledger.bytesOut]).toEqual([2, 370]);
  });

  it('of another engine are refused', async () => {
    const { connection } = await connected();
    const foreign = { totals: () => new FakeAddon() } as never;
    expect(() => connection.routeDatagrams(new Uint8Array(16), { kind: 'drop', reason: 'closing' }, foreign)).toThrow(
      TypeError,
    );
  });

  it('know a path as far as the engine does', async () => {
    const { fake, connection } = await connected();
    fake.answers.set('stats', [1.5, 1, 10, 9, 0, 1000, 900, 12_000, 0, 0, 1452, Number.NaN]);
    expect(connection.stats()).toMatchObject({ rttMs: 1.5, bytesInFlight: null, pathMtu: 1452, maxDatagramSize: null });
    fake.answers.set('stats', []);
    expect(connection.stats().rttMs).toBeNull();
  });
});

function listenerHandler(decisions: readonly (IncomingDecision | Error)[] = []): Parameters<QuicEngine['listen']>[1] {
  const left = [...decisions];
  return {
    onIncoming: () => {
      const decision = left.shift() ?? 'refuse';
      if (decision instanceof Error) throw decision;
      return decision;
    },
    onConnection: () => new Hearer(),
    onHandshakeFailed: () => undefined,
    onFailed: () => undefined,
  };
}
