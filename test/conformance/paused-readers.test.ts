import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { closeOf, dialLocal, LocalTcpServer } from '../support/peers/local-tcp.ts';
import { startAuthorizedRelay } from '../support/programs/authorized-relay.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { openEngine } from '../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../support/programs/test-edge.ts';
import { until } from '../support/until.ts';

const readers = 40;
const chunk = Buffer.alloc(65_536, 7);
/** What may be on its way to one reader, in all the windows and sockets between the ends. */
const mostBytes = 8 * 1_048_576;

/** Writes without end. */
function fill(socket: Socket): void {
  const more = (): void => {
    while (socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

/** `more` gets bytes without end, `take` is not read; everything else comes back. */
function serve(socket: Socket): void {
  socket.once('data', (first) => {
    const order = first.toString('latin1', 0, 4);
    if (order === 'more') fill(socket);
    else if (order === 'take') socket.pause();
    else socket.end(first);
  });
}

/** Forty connections whose far end does not read, until nothing moves any more; then one that asks for five bytes. */
async function askBeside(engineName: EngineName, paused: (socket: Socket) => void, sender: 'ingress' | 'egress') {
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
  const sockets = Array.from({ length: readers }, () => dialLocal(egress.port()));
  sockets.forEach(paused);
  const sent = await standstill(sender === 'ingress' ? ingress : egress);
  const asking = dialLocal(egress.port());
  const answer: Buffer[] = [];
  asking.on('data', (bytes: Buffer) => answer.push(bytes));
  asking.end('hello');
  await closeOf(asking);
  for (const socket of sockets) socket.destroy();
  return { answer: Buffer.concat(answer).toString(), sent };
}

/** Waits until the edge has sent something for every reader, and then no more; returns the bytes. */
async function standstill(edge: TestEdge): Promise<number> {
  let sent = -1;
  await until(
    () => {
      const now = edge.tunnel().stats.bytes_sent;
      const stands = now === sent && now > readers * chunk.length;
      sent = now;
      return stands;
    },
    { pollMs: 500, what: 'forty readers that hold everything up' },
  );
  return sent;
}

describe.each(await builtEngines())('a TCP tunnel over %s', (engineName) => {
  it('M3 answers one connection while forty clients do not read', async () => {
    const { answer, sent } = await askBeside(engineName, (socket) => socket.pause().write('more'), 'ingress');
    expect(answer).toBe('hello');
    expect(sent / readers).toBeLessThan(mostBytes);
  });

  it('M3 answers one connection while forty servers do not read', async () => {
    const upload = (socket: Socket): void => {
      socket.write('take');
      fill(socket);
    };
    const { answer, sent } = await askBeside(engineName, upload, 'egress');
    expect(answer).toBe('hello');
    expect(sent / readers).toBeLessThan(mostBytes);
  });
});
