import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { QuicStream } from '../../../src/quic/types.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { RecordedStream, type RecordedConnection } from '../../support/peers/quic-peer.ts';
import { QuicWorld, testTransport } from '../../support/programs/quic-world.ts';
import { until } from '../../support/until.ts';

/** A stream of the client with `text` written, and the server's end of it. */
async function openWith(
  client: RecordedConnection,
  server: RecordedConnection,
  text: string,
): Promise<{ near: RecordedStream; far: RecordedStream }> {
  const near = client.open();
  near.stream.write(Buffer.from(text));
  const far = await until(() => server.streams.find((candidate) => candidate.stream.id === near.stream.id) ?? null);
  await until(() => far.text === text);
  return { near, far };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each(await builtEngines())('streams of the %s engine', (name) => {
  it('carry bytes both ways and end each direction on its own', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { near, far } = await openWith(client, server, 'ping');
    near.stream.finish();
    await until(() => far.end?.kind === 'finished');
    expect(near.end).toBeNull();
    far.stream.write(Buffer.from('pong'));
    far.stream.finish();
    await until(() => near.end?.kind === 'finished');
    expect(near.text).toBe('pong');
    expect(near.stream.bidirectional).toBe(true);
    expect(near.stream.connection).toBe(client.connection);
  });

  it('carry a FIN without any byte', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const near = client.open();
    near.stream.finish();
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.end?.kind === 'finished');
    expect(far.length).toBe(0);
  });

  it('S1 a reset crosses with its code and leaves the other direction alone', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { near, far } = await openWith(client, server, 'half');
    near.stream.reset(7001);
    await until(() => far.end !== null);
    expect(far.end).toEqual({ kind: 'reset', code: 7001 });
    far.stream.write(Buffer.from('still here'));
    far.stream.finish();
    await until(() => near.end?.kind === 'finished');
    expect(near.text).toBe('still here');
  });

  it('S1 a stop crosses with its code within 50 ms, also on an idle stream', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { near, far } = await openWith(client, server, 'x');
    near.stream.stop(123_456_789);
    await until(() => far.stopped !== null);
    expect(far.stopped).toBe(123_456_789);
    near.stream.write(Buffer.from(' and y'));
    await until(() => far.text === 'x and y');
    await until(() => near.stream.read(1).kind === 'reset');
  });

  it('take nothing on a direction that has ended', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { near, far } = await openWith(client, server, 'x');
    near.stream.finish();
    expect(near.stream.write(Buffer.from('late'))).toBe(true);
    near.stream.finish();
    near.stream.reset(5);
    await until(() => far.end !== null);
    expect(far.text).toBe('x');
    near.stream.stop(1);
    near.stream.stop(2);
    await until(() => far.stopped !== null);
    expect(far.stopped).toBe(1);
    expect(far.stream.write(Buffer.from('dropped'))).toBe(true);
    expect(far.stream.queuedBytes).toBe(0);
  });

  it('never give more than was asked for, and keep the rest', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const arrived: QuicStream[] = [];
    server.intercept = (opened) => {
      arrived.push(opened);
      opened.setHandler({ onReadable() {}, onWritable() {}, onStopped() {} });
      return false;
    };
    const near = client.open();
    near.stream.write(Buffer.from('0123456789'));
    near.stream.finish();
    const opened = await until(() => arrived[0]);
    const first = opened.read(4);
    expect(first.kind === 'data' && Buffer.from(first.bytes).toString()).toBe('0123');
    const second = opened.read(100);
    expect(second.kind === 'data' && Buffer.from(second.bytes).toString()).toBe('456789');
    await until(() => opened.read(1).kind === 'finished');
    expect(opened.read(1).kind).toBe('finished');
  });

  it('S2 pause a writer whose reader pauses, and lose nothing', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { near, far } = await openWith(client, server, 'x');
    far.pause();
    const chunk = Buffer.alloc(64 * 1024, 'abcdefghij');
    let written = 1;
    let writables = 0;
    for (;;) {
      const goesOn = near.stream.write(chunk);
      written += chunk.length;
      expect(written).toBeLessThan(8 * 1024 * 1024);
      if (goesOn) await new Promise((resolve) => setImmediate(resolve));
      else if (near.stream.queuedBytes > 64 * 1024) break;
      else {
        // The engine's own thread took it after all: the window is not full yet.
        await until(() => near.writables > writables);
        writables = near.writables;
      }
    }
    far.resume();
    await until(() => near.writables > writables);
    near.stream.finish();
    await until(() => far.end?.kind === 'finished');
    expect(far.length).toBe(written);
  });

  it('carry megabytes unchanged', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const near = client.open();
    const blob = Buffer.alloc(10_000_000);
    for (let at = 0; at < blob.length; at += 4) blob.writeUInt32LE((at * 2654435761) >>> 0, at);
    near.stream.write(blob);
    near.stream.finish();
    const far = await until(() => server.streams[0] ?? null);
    await until(() => far.end?.kind === 'finished');
    expect(digest(far.bytes)).toBe(digest(blob));
  });

  it('lose no window of their connection to what was reset, or stopped, before anybody read it', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    for (let n = 0; n < 20; n++) {
      const { near, far } = await openWith(client, server, 'x');
      far.pause();
      near.stream.write(Buffer.alloc(200_000));
      await until(() => near.stream.queuedBytes === 0);
      if (n % 2 === 0) {
        near.stream.reset(1);
        await until(() => far.stream.read(1).kind === 'reset');
      } else {
        far.stream.stop(1);
        await until(() => near.stopped !== null);
      }
    }
    const { near, far } = await openWith(client, server, 'x');
    const bytes = 2 * testTransport.connectionWindowBytes;
    near.stream.write(Buffer.alloc(bytes));
    await until(() => far.length > bytes);
    expect(client.closed).toBeNull();
  });

  it('are not opened beyond what the peer grants, and never wait', async () => {
    await using world = await QuicWorld.start(name, { transport: { maxBidiStreams: 3, maxUniStreams: 1 } });
    const { client } = await world.connect();
    for (let n = 0; n < 3; n += 1) expect(client.connection.openBidi()).not.toBeNull();
    expect(client.connection.openBidi()).toBeNull();
    expect(client.connection.openUni()).not.toBeNull();
    expect(client.connection.openUni()).toBeNull();
  });

  it('may be one-way', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const uni = server.connection.openUni();
    expect(uni?.bidirectional).toBe(false);
    uni?.write(Buffer.from('notice'));
    uni?.finish();
    const got = await until(() => client.streams[0] ?? null);
    await until(() => got.end?.kind === 'finished');
    expect(got.text).toBe('notice');
    expect(got.stream.bidirectional).toBe(false);
  });

  it('end with a reset when the connection ends', async () => {
    await using world = await QuicWorld.start(name);
    const { client, server } = await world.connect();
    const { far } = await openWith(client, server, 'x');
    client.connection.close(3, 'done');
    await until(() => server.closed !== null);
    expect(far.stream.read(10).kind).toBe('reset');
    expect(far.stream.write(Buffer.from('nobody'))).toBe(true);
    expect(server.connection.openBidi()).toBeNull();
  });
});

type Ending = (ends: { readonly near: QuicStream; readonly far: QuicStream }) => void;

/** Ways in which both directions of a stream can come to an end; each must give the peer its stream credit back. */
const endings: readonly (readonly [string, Ending])[] = [
  [
    'FIN both ways',
    ({ near, far }) => {
      near.finish();
      far.finish();
    },
  ],
  [
    'reset and stop by one end',
    ({ far }) => {
      far.reset(1);
      far.stop(1);
    },
  ],
  [
    'a late FIN after a stop',
    ({ far }) => {
      far.finish();
      far.stop(2);
    },
  ],
  [
    'a reset answered by a FIN',
    ({ near, far }) => {
      near.reset(3);
      far.finish();
    },
  ],
  [
    'stops by both ends',
    ({ near, far }) => {
      near.stop(4);
      far.stop(5);
    },
  ],
];

describe.each(await builtEngines())('stream credits of the %s engine', (name) => {
  it.each(endings)('come back after %s', async (_what, end) => {
    await using world = await QuicWorld.start(name, { transport: { maxBidiStreams: 8 } });
    const { client, server } = await world.connect();
    for (let round = 0; round < 40; round += 1) {
      const stream = await until(() => client.connection.openBidi(), { what: `a stream is granted in round ${round}` });
      const near = new RecordedStream(stream);
      stream.write(Buffer.from('hello'));
      const far = await until(() => server.streams.find((candidate) => candidate.stream.id === stream.id) ?? null);
      end({ near: near.stream, far: far.stream });
      // An application answers a stop by ending its direction.
      await until(() => far.end !== null || far.stopped !== null || near.end !== null || near.stopped !== null);
      near.stream.finish();
      far.stream.finish();
    }
  });
});
