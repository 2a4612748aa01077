import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { LocalTcpConnectHandler } from '../../../../src/quic/local-sockets.ts';
import { closeOf, dialLocal, LocalTcpServer } from '../../../support/peers/local-tcp.ts';
import type { RecordedStream } from '../../../support/peers/quic-peer.ts';
import { builtEngines } from '../../../support/programs/engines.ts';
import { localTcpKey, LocalTcpWorld } from '../../../support/programs/local-tcp-world.ts';
import { until } from '../../../support/until.ts';

const localReset = 16;
const notAuthentic = 18;

/** Everything that a socket brings, until its clean end. */
async function readAll(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of socket as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

/** Starts a connection attempt; `calls` are the calls of its handler. */
function handlerOf(): { readonly handler: LocalTcpConnectHandler; readonly calls: (Error | 'connected')[] } {
  const calls: (Error | 'connected')[] = [];
  return { calls, handler: { onConnected: () => calls.push('connected'), onFailed: (error) => calls.push(error) } };
}

describe.each(await builtEngines())('local TCP connections of an edge on %s', (name) => {
  it('are sealed on the stream, each way on its own, and count their bytes', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer, ends } = await world.join();
    const long = 'abcdefgh'.repeat(20_000);
    program.end(long);
    await until(() => peer.end?.kind === 'finished');
    expect(world.opened(peer)).toBe(long);
    expect(ends).toEqual([]);
    peer.stream.write(world.cipher.sealChunks(Buffer.from(long.toUpperCase())));
    peer.stream.finish();
    expect(await readAll(program)).toBe(long.toUpperCase());
    await until(() => ends.length === 1);
    expect(ends).toEqual([null]);
    expect(world.counters.stats()).toMatchObject({ bytes_sent: 160_000, bytes_received: 160_000, decrypt_errors: 0 });
  });

  it('deliver chunks of any size, cut anywhere', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer } = await world.join();
    const received = readAll(program);
    const wire = Buffer.concat([
      sealedChunk(Buffer.alloc(0)),
      sealedChunk(Buffer.from('x')),
      sealedChunk(Buffer.alloc(900_000, 'y')),
      sealedChunk(Buffer.from('z')),
    ]);
    for (let at = 0; at < 200; at++) peer.stream.write(wire.subarray(at, at + 1));
    for (let at = 200; at < wire.length; at += 7001) peer.stream.write(wire.subarray(at, at + 7001));
    peer.stream.finish();
    program.end();
    expect(await received).toBe(`x${'y'.repeat(900_000)}z`);
  });

  const spoilt: readonly [string, (peer: RecordedStream) => void][] = [
    ['noise', (peer) => void peer.stream.write(Buffer.from(`0000001d${'00'.repeat(29)}`, 'hex'))],
    ['an empty chunk', (peer) => void peer.stream.write(Buffer.from('00000000', 'hex'))],
    ['a chunk shorter than a seal', (peer) => void peer.stream.write(Buffer.from(`0000001b${'00'.repeat(27)}`, 'hex'))],
    ['a chunk announced as too long', (peer) => void peer.stream.write(Buffer.from('00100001', 'hex'))],
    [
      'a forged tag after a good chunk',
      (peer) => {
        const forged = sealedChunk(Buffer.from('forged'));
        forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
        peer.stream.write(Buffer.concat([sealedChunk(Buffer.from('good')), forged]));
      },
    ],
    [
      'an end inside a chunk',
      (peer) => {
        peer.stream.write(sealedChunk(Buffer.from('cut off')).subarray(0, 20));
        peer.stream.finish();
      },
    ],
    [
      'an end inside a length',
      (peer) => {
        peer.stream.write(Buffer.alloc(2));
        peer.stream.finish();
      },
    ],
  ];

  it.each(spoilt)('are reset by a peer that sends %s, which is counted once', async (_what, spoil) => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer, ends } = await world.join();
    program.resume();
    const closed = closeOf(program);
    spoil(peer);
    expect(await closed).toBe('ECONNRESET');
    await until(() => peer.end?.kind === 'reset');
    expect(peer.end).toEqual({ kind: 'reset', code: notAuthentic });
    await until(() => ends.length === 1);
    expect(world.counters.stats().decrypt_errors).toBe(1);
    expect(world.counters.stats().bytes_received).toBeLessThanOrEqual('good'.length);
  });

  it('pass a reset of the peer on as RST, with the same code back', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer, ends } = await world.join();
    program.resume();
    const closed = closeOf(program);
    peer.stream.reset(9);
    expect(await closed).toBe('ECONNRESET');
    await until(() => peer.end !== null && ends.length === 1);
    expect(peer.end).toEqual({ kind: 'reset', code: 9 });
    expect(world.counters.stats().decrypt_errors).toBe(0);
  });

  it('end the stream with a code of their own when the local program resets', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer, ends } = await world.join();
    program.resetAndDestroy();
    await until(() => peer.end !== null && peer.stopped !== null && ends.length === 1);
    expect([peer.end, peer.stopped]).toEqual([{ kind: 'reset', code: localReset }, localReset]);
    expect(ends[0]).toBeInstanceOf(Error);
  });

  it('are reset with the code that control gives, once', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer, pipe, ends } = await world.join();
    program.resume();
    const closed = closeOf(program);
    pipe.abort(7);
    pipe.abort(8);
    expect(ends).toEqual([]);
    expect(await closed).toBe('ECONNRESET');
    await until(() => peer.end !== null && peer.stopped !== null && ends.length === 1);
    expect([peer.end, peer.stopped]).toEqual([{ kind: 'reset', code: 7 }, 7]);
  });

  it('read on what the local program sends after the peer has stopped, so that both can end', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer, ends } = await world.join();
    peer.stream.stop(5);
    for (let sent = 0; sent < 32; sent++) if (!program.write(Buffer.alloc(65_536))) await once(program, 'drain');
    peer.stream.write(sealedChunk(Buffer.from('answer')));
    const [answer] = (await once(program, 'data')) as [Buffer];
    expect(answer.toString()).toBe('answer');
    peer.stream.finish();
    await until(() => ends.length === 1);
    program.destroy();
  });

  it('hold back a local program whose peer does not read, and go on when it does', async () => {
    await using world = await LocalTcpWorld.start(name);
    const { program, peer } = await world.join();
    peer.pause();
    const total = 32 * 1_048_576;
    for (let sent = 0; sent < total; sent += 1_048_576) program.write(Buffer.alloc(1_048_576));
    program.end();
    let last = -1;
    await until(() => last === (last = world.counters.stats().bytes_sent), { pollMs: 300 });
    expect(last).toBeLessThan(16 * 1_048_576);
    peer.resume();
    await until(() => peer.end?.kind === 'finished');
    expect(world.counters.stats().bytes_sent).toBe(total);
  });

  it('that cannot be listened for or made say why', async () => {
    await using world = await LocalTcpWorld.start(name);
    await using server = await LocalTcpServer.start(() => {});
    const taken = { ip: '127.0.0.1', port: Number(server.addr.split(':')[1]) };
    const nobody = { onConnection: () => {}, onError: () => {} };
    await expect(world.tcp.listen(taken, nobody)).rejects.toThrow('EADDRINUSE');
    const { handler, calls } = handlerOf();
    world.tcp.connect({ ip: '127.0.0.1', port: 1 }, handler);
    expect(calls).toEqual([]);
    await until(() => calls.length > 0);
    expect(String(calls[0])).toContain('ECONNREFUSED');
  });

  it('report nothing more of an attempt that was given up', async () => {
    await using world = await LocalTcpWorld.start(name);
    await using server = await LocalTcpServer.start(() => {});
    const { handler, calls } = handlerOf();
    const address = { ip: '127.0.0.1', port: Number(server.addr.split(':')[1]) };
    world.tcp.connect(address, handler).reset();
    const other = handlerOf();
    const second = world.tcp.connect(address, other.handler);
    await until(() => other.calls.length > 0);
    expect([calls, other.calls]).toEqual([[], ['connected']]);
    second.reset();
  });

  it('that control does not want are reset', async () => {
    await using world = await LocalTcpWorld.start(name);
    const handler = { onConnection: (socket: { reset(): void }) => socket.reset(), onError: () => {} };
    const listener = await world.tcp.listen({ ip: '127.0.0.1', port: 0 }, handler);
    for (let count = 0; count < 50; count++) {
      const program = dialLocal(listener.port);
      program.resume();
      expect(await closeOf(program)).toBe('ECONNRESET');
    }
    await listener.close();
    expect(await closeOf(dialLocal(listener.port))).toBe('ECONNREFUSED');
  });
});

/** One chunk of any length, which a sender of ours would not make; a receiver takes up to 1 MiB. */
function sealedChunk(plaintext: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('chacha20-poly1305', localTcpKey, nonce, { authTagLength: 16 });
  const parts = [nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
  const length = Buffer.alloc(4);
  length.writeUInt32BE(28 + plaintext.length);
  return Buffer.concat([length, ...parts]);
}
