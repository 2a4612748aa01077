import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { PayloadCipher } from '../../../src/edge/local/payload-cipher.ts';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import type { Direction } from '../../../src/protocol/tunnel/leg.ts';
import { encodeStreamHeader } from '../../../src/protocol/tunnel/stream-header.ts';
import { tunnelIdToBytes } from '../../../src/protocol/tunnel/tunnel-id.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import type { QuicStream } from '../../../src/quic/types.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { closeOf, dialLocal, LocalTcpServer } from '../../support/peers/local-tcp.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { ScaledClock } from '../../support/fakes/scaled-clock.ts';
import { ScriptedRelay, type ScriptedSession } from '../../support/peers/scripted-relay.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import { until } from '../../support/until.ts';
import { sealVector, vectorTunnel } from '../../support/samples/vectors.ts';

const tunnelId = knownTunnelId(vectorTunnel.id);
const cipher = new PayloadCipher(new SystemRandom(), Buffer.from(sealVector.keyHex, 'hex'), tunnelIdToBytes(tunnelId));

/** Follows one stream at the relay's end. */
class Tap {
  readonly stream: QuicStream;
  received = Buffer.alloc(0);
  end: 'finished' | number | null = null;
  stopped: number | null = null;

  constructor(stream: QuicStream) {
    this.stream = stream;
    const onReadable = (): void => this.#read();
    stream.setHandler({ onReadable, onWritable: () => {}, onStopped: (code) => (this.stopped = code) });
    // What came before there was a handler.
    this.#read();
  }

  #read(): void {
    for (;;) {
      const result = this.stream.read(65_536);
      if (result.kind === 'blocked') return;
      if (result.kind === 'data') {
        this.received = Buffer.concat([this.received, result.bytes]);
      } else {
        this.end = result.kind === 'finished' ? 'finished' : result.code;
        return;
      }
    }
  }
}

interface Scene extends AsyncDisposable {
  readonly edge: TestEdge;
  readonly session: ScriptedSession;
}

async function openScene(
  engineName: EngineName,
  direction: Direction,
  localAddr?: string,
  clock: Clock = new SystemClock(),
): Promise<Scene> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(engineName));
  const relay = opening.use(
    await ScriptedRelay.start({
      engine,
      onMessage: (message, session) => {
        if (message.type === 'tunnel_bind') session.say({ type: 'tunnel_ready', tunnel_id: tunnelId });
      },
    }),
  );
  const local = localAddr === undefined ? {} : { local_addr: localAddr };
  const tunnel = {
    protocol: 'tcp',
    direction,
    relay_addr: relay.addr,
    tunnel_bind_secret: undefined,
    ...local,
  } as const;
  const edge = opening.use(await startTestEdge({ engine, clock, tunnels: [tunnel] }));
  await edge.reaches('ready');
  const session = await relay.session();
  const stack = opening.move();
  return { edge, session, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe.each(await builtEngines())('the data streams of an egress edge over %s', (engineName) => {
  /** A client connection and the relay's end of its stream. */
  async function connectClient({ edge, session }: Scene) {
    const client = dialLocal(edge.port());
    const stream = await until(() => session.streams[0], { what: 'a data stream' });
    return { client, tap: new Tap(stream) };
  }

  it('begin with the header of the contract, then sealed chunks, then FIN', async () => {
    await using scene = await openScene(engineName, 'egress');
    const { client, tap } = await connectClient(scene);
    client.end('hello');
    await until(() => tap.end !== null);
    const header = encodeStreamHeader(tunnelId);
    expect(tap.received.subarray(0, header.length)).toEqual(header);
    expect(Buffer.from(cipher.open(tap.received.subarray(header.length + 4)) ?? 'none').toString()).toBe('hello');
    expect(tap.end).toBe('finished');
    client.destroy();
  });

  it('deliver what came before the peer stopped reading', async () => {
    await using scene = await openScene(engineName, 'egress');
    const { client, tap } = await connectClient(scene);
    const closed = closeOf(client);
    client.write('request');
    await until(() => tap.received.length > 100);
    tap.stream.stop(9);
    tap.stream.write(cipher.sealChunks(Buffer.from('answer')));
    tap.stream.finish();
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('answer');
    await once(client, 'end');
    client.end();
    expect(await closed).toBeNull();
  });

  const spoilt: readonly [string, (stream: QuicStream) => void][] = [
    ['are reset by the peer', (stream) => stream.reset(9)],
    [
      'end inside a chunk',
      (stream) => {
        stream.write(cipher.sealChunks(Buffer.alloc(9)).subarray(0, 20));
        stream.finish();
      },
    ],
    [
      'carry what was not sealed with the key',
      (stream) => void stream.write(Buffer.concat([Buffer.from('0000001d', 'hex'), Buffer.alloc(29)])),
    ],
    ['carry a chunk that is too long', (stream) => void stream.write(Buffer.from('00100001', 'hex'))],
  ];

  it.each(spoilt)('that %s reset the local connection', async (_name, spoil) => {
    await using scene = await openScene(engineName, 'egress');
    const { client, tap } = await connectClient(scene);
    client.resume();
    const closed = closeOf(client);
    spoil(tap.stream);
    expect(await closed).toBe('ECONNRESET');
    expect(client.bytesRead).toBe(0);
    await until(() => typeof tap.end === 'number');
  });

  it('are reset when their connection ends', async () => {
    await using scene = await openScene(engineName, 'egress');
    const { client } = await connectClient(scene);
    client.resume();
    const closed = closeOf(client);
    scene.session.connection.close(0, 'relay shutting down');
    expect(await closed).toBe('ECONNRESET');
    await until(() => scene.edge.tunnel().stats.connections_active === 0);
  });

  it('are opened by the edge alone', async () => {
    await using scene = await openScene(engineName, 'egress');
    const stream = scene.session.connection.openBidi();
    if (stream === null) throw new Error('no stream');
    const tap = new Tap(stream);
    stream.write(encodeStreamHeader(tunnelId));
    await until(() => tap.end === 5);
  });
});

describe.each(await builtEngines())('a data stream that reaches an ingress edge over %s', (engineName) => {
  function open(scene: Scene, ...writes: readonly Uint8Array[]): Tap {
    const stream = scene.session.connection.openBidi();
    if (stream === null) throw new Error('no stream');
    const tap = new Tap(stream);
    for (const bytes of writes) stream.write(bytes);
    return tap;
  }

  it('becomes a local connection, also when its header comes byte by byte', async () => {
    await using server = await LocalTcpServer.start((socket) => socket.pipe(socket));
    await using scene = await openScene(engineName, 'ingress', server.addr);
    const header = encodeStreamHeader(tunnelId);
    const tap = open(scene, ...Array.from(header, (byte) => Buffer.of(byte)), cipher.sealChunks(Buffer.from('echo')));
    await until(() => tap.received.length > 4);
    expect(Buffer.from(cipher.open(tap.received.subarray(4)) ?? 'none').toString()).toBe('echo');
    tap.stream.finish();
    await until(() => tap.end === 'finished');
  });

  const frame = (json: object): Buffer => {
    const body = Buffer.from(JSON.stringify(json));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  };

  it.each([
    ['is not JSON', Buffer.from('00000003{x}'.replace('00000003', '\u0000\u0000\u0000\u0003'), 'latin1'), 4],
    ['is too long', Buffer.from('00000401', 'hex'), 4],
    ['is of another type', frame({ tunnel_id: vectorTunnel.id, stream_type: 'udp' }), 4],
    ['names another tunnel', frame({ tunnel_id: '00000000-0000-4000-8000-000000000001', stream_type: 'tcp' }), 2],
  ])('is reset when its header %s', async (_name, header, code) => {
    await using server = await LocalTcpServer.start(() => {});
    await using scene = await openScene(engineName, 'ingress', server.addr);
    const tap = open(scene, header);
    await until(() => tap.end === code && tap.stopped === code);
    expect(server.sockets).toEqual([]);
  });

  it('is reset when it ends inside its header', async () => {
    await using server = await LocalTcpServer.start(() => {});
    await using scene = await openScene(engineName, 'ingress', server.addr);
    const tap = open(scene, Buffer.alloc(3));
    tap.stream.finish();
    await until(() => tap.end === 4);
  });

  it('is reset with a code of its own when the local program refuses', async () => {
    await using scene = await openScene(engineName, 'ingress', '127.0.0.1:1');
    const tap = open(scene, encodeStreamHeader(tunnelId));
    await until(() => tap.end === 17 && tap.stopped === 17);
    expect(scene.edge.log.messages('warn')).toContain('local program does not accept connections');
  });

  it('is reset when its header does not come', async () => {
    await using server = await LocalTcpServer.start(() => {});
    await using scene = await openScene(engineName, 'ingress', server.addr, new ScaledClock(10));
    const tap = open(scene, Buffer.alloc(1));
    await until(() => tap.end === 4);
  });
});
