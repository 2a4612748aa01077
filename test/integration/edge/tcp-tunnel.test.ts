import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { closeOf, dialLocal, digestOf, LocalTcpServer, sendAll } from '../../support/peers/local-tcp.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import type { TestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

interface TcpTunnel extends AsyncDisposable {
  readonly relay: TestRelay;
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
  readonly server: LocalTcpServer;
  /** A client connection into the tunnel. */
  dial(): Socket;
}

/** A local program behind two edges and a relay. */
async function openTunnel(
  engineName: EngineName,
  serve: (socket: Socket) => void,
  changes: { readonly ingress?: object } = {},
): Promise<TcpTunnel> {
  await using opening = new AsyncDisposableStack();
  const engine = opening.use(await openEngine(engineName));
  const server = opening.use(await LocalTcpServer.start(serve));
  const relay = opening.use(await startAuthorizedRelay(engineName));
  const common = { protocol: 'tcp', relay_addr: relay.address } as const;
  const ingress = opening.use(
    await startTestEdge({
      engine,
      edgeId: 'far',
      tunnels: [{ ...common, direction: 'ingress', local_addr: server.addr, ...changes.ingress }],
    }),
  );
  const egress = opening.use(
    await startTestEdge({ engine, edgeId: 'near', tunnels: [{ ...common, direction: 'egress' }] }),
  );
  await egress.reaches('ready');
  await ingress.reaches('ready');
  const stack = opening.move();
  return {
    relay,
    egress,
    ingress,
    server,
    dial: () => dialLocal(egress.port()),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const mebibyte = 1_048_576;

function* blocks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield randomBytes(65_536);
}

describe.each(await builtEngines())('a TCP tunnel over %s', (engineName) => {
  it('carries both directions at once, byte for byte', async () => {
    const serverSide = Promise.withResolvers<unknown>();
    await using tunnel = await openTunnel(engineName, (socket) => {
      serverSide.resolve(Promise.all([digestOf(socket), sendAll(socket, blocks(128))]));
    });
    const client = tunnel.dial();
    const [received, sent] = await Promise.all([digestOf(client), sendAll(client, blocks(128))]);
    expect(sent.bytes).toBe(8 * mebibyte);
    expect(await serverSide.promise).toEqual([sent, received]);
    for (const end of [tunnel.egress, tunnel.ingress]) await until(() => end.tunnel().stats.connections_active === 0);
    expect(tunnel.egress.tunnel().stats).toMatchObject({
      bytes_sent: 8 * mebibyte,
      bytes_received: 8 * mebibyte,
      connections_total: 1,
    });
    expect(tunnel.ingress.tunnel().stats).toMatchObject({ bytes_sent: 8 * mebibyte });
  });

  it('keeps half-close: a client that has sent its request and ended still gets the whole answer', async () => {
    await using tunnel = await openTunnel(engineName, (socket) => {
      void digestOf(socket).then(({ sha256 }) => socket.end(sha256));
    });
    const client = tunnel.dial();
    const { sha256 } = await sendAll(client, blocks(4));
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe(sha256);
    expect(await closeOf(client)).toBeNull();
  });

  it('carries many connections at once', async () => {
    await using tunnel = await openTunnel(engineName, (socket) => socket.pipe(socket));
    const digests = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const client = tunnel.dial();
        const [received, sent] = await Promise.all([digestOf(client), sendAll(client, blocks(2))]);
        return received.sha256 === sent.sha256;
      }),
    );
    expect(digests.every(Boolean)).toBe(true);
  });

  it.each(['client', 'server'] as const)('passes a reset by the %s on as a reset', async (who) => {
    await using tunnel = await openTunnel(engineName, (socket) => socket.write('hello'));
    const client = tunnel.dial();
    await once(client, 'data');
    const [server] = tunnel.server.sockets;
    if (server === undefined) throw new Error('no connection at the server');
    const [resetting, other] = who === 'client' ? [client, server] : [server, client];
    other.resume();
    const closed = closeOf(other);
    resetting.resetAndDestroy();
    expect(await closed).toBe('ECONNRESET');
    await until(() => tunnel.egress.tunnel().stats.connections_active === 0);
    await until(() => tunnel.ingress.tunnel().stats.connections_active === 0);
  });

  it('resets the client when the local program does not accept', async () => {
    await using tunnel = await openTunnel(engineName, () => {}, { ingress: { local_addr: '127.0.0.1:1' } });
    const client = tunnel.dial();
    client.resume();
    expect(await closeOf(client)).toBe('ECONNRESET');
    expect(tunnel.ingress.tunnel().stats).toMatchObject({ send_errors: 1, connections_total: 0 });
  });

  it('lets a reader that stops hold its writer, and nobody else', async () => {
    await using tunnel = await openTunnel(engineName, (socket) => {
      if (tunnel.server.sockets.length > 1) socket.pipe(socket);
    });
    const stuck = tunnel.dial();
    let accepted = 0;
    const flood = setImmediateLoop(() => {
      if (stuck.writableLength < mebibyte) {
        stuck.write(Buffer.alloc(65_536));
        accepted += 65_536;
      }
    });
    await until(() => tunnel.egress.tunnel().stats.bytes_sent > mebibyte);
    let last = -1;
    await until(
      () => {
        const { bytes_sent: sent } = tunnel.egress.tunnel().stats;
        const standing = sent === last;
        last = sent;
        return standing;
      },
      { pollMs: 300 },
    );
    flood.stop();
    expect(accepted).toBeGreaterThan(last);
    // Windows and queues of five hops, and the kernel's socket buffers; not what the client wanted to send.
    expect(last).toBeLessThan(24 * mebibyte);
    const other = tunnel.dial();
    const [received, sent] = await Promise.all([digestOf(other), sendAll(other, blocks(16))]);
    expect(received).toEqual(sent);
    stuck.destroy();
  });

  it('refuses connections at once while the peer is away', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using egress = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'tcp', direction: 'egress', relay_addr: relay.address }],
    });
    await egress.reaches('waiting');
    const client = dialLocal(egress.port());
    client.resume();
    expect(await closeOf(client)).toBe('ECONNRESET');
    expect(egress.tunnel().stats.connections_total).toBe(0);
  });

  it('does not deliver what was sealed with another key', async () => {
    await using tunnel = await openTunnel(engineName, () => {}, {
      ingress: { tunnel_encryption_key: 'ff'.repeat(32) },
    });
    const client = tunnel.dial();
    client.resume();
    const closed = closeOf(client);
    client.write('secret');
    expect(await closed).toBe('ECONNRESET');
    expect(tunnel.ingress.tunnel().stats).toMatchObject({ decrypt_errors: 1, bytes_received: 0 });
    expect(tunnel.server.sockets[0]?.bytesRead ?? 0).toBe(0);
  });
});

/** Calls back once per turn of the event loop until stopped. */
function setImmediateLoop(callback: () => void): { stop: () => void } {
  let running = true;
  const turn = (): void => {
    if (!running) return;
    callback();
    setImmediate(turn);
  };
  turn();
  return {
    stop: () => {
      running = false;
    },
  };
}
