import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closeOf, dialLocal, LocalTcpServer } from '../support/peers/local-tcp.ts';
import { startAuthorizedRelay } from '../support/programs/authorized-relay.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { openEngine } from '../support/programs/open-engine.ts';
import { startTestEdge } from '../support/programs/test-edge.ts';
import { until } from '../support/until.ts';

const readers = 40;
const chunk = Buffer.alloc(65_536, 7);

/** `more` gets bytes without end; everything else comes back. */
function serve(socket: Socket): void {
  socket.once('data', (first) => {
    if (first.toString() !== 'more') {
      socket.end(first);
      return;
    }
    const fill = (): void => {
      while (socket.write(chunk));
    };
    socket.on('drain', fill);
    fill();
  });
}

/** The connection window of the native engine is shared by its streams, and few paused readers use it up. */
const engines = (await builtEngines()).filter((name) => name === 'quiche');

describe.each(engines)('a TCP tunnel over %s', (engineName) => {
  it('M3 answers one connection while forty others do not read', async () => {
    await using server = await LocalTcpServer.start(serve);
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    const common = { protocol: 'tcp', relay_addr: relay.address } as const;
    await using ingress = await startTestEdge({
      engine,
      tunnels: [{ ...common, direction: 'ingress', local_addr: server.addr }],
    });
    await using egress = await startTestEdge({ engine, tunnels: [{ ...common, direction: 'egress' }] });
    await egress.reaches('ready');
    await ingress.reaches('ready');
    const paused = Array.from({ length: readers }, () => dialLocal(egress.port()));
    for (const socket of paused) socket.pause().write('more');
    let sent = -1;
    await until(
      () => {
        const now = ingress.tunnel().stats.bytes_sent;
        const stands = now === sent && now > readers * chunk.length;
        sent = now;
        return stands;
      },
      { pollMs: 500, timeoutMs: 40_000, what: 'forty readers that hold everything up' },
    );
    const asking = dialLocal(egress.port());
    const answer: Buffer[] = [];
    asking.on('data', (bytes: Buffer) => answer.push(bytes));
    asking.end('hello');
    await closeOf(asking);
    expect(Buffer.concat(answer).toString()).toBe('hello');
    expect(sent / readers).toBeLessThan(8 * 1_048_576);
    for (const socket of paused) socket.destroy();
  });
});
