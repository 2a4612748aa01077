import { execFileSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/cli/demo/free-port.ts';
import { aditPath, BenchPrograms, pause } from './bench-programs.ts';
import { endsOf, flowOf, flows, type Lane } from './flow-relays.ts';

export interface Isolation {
  /** 99th percentiles of a ping through the tunnel, ms: no flow has traffic; four have, in the tunnel's own edge. */
  readonly aloneMs: number;
  readonly besideMs: number;
  /** The same traffic through the flows of another edge: what the machine's load alone does. */
  readonly elsewhereMs: number;
}

const flowCount = 4;
const flowBits = 10_000_000;
const pingPeriodMs = 5;

/** A tunnel's ping with and without four flows of 10 Mbit/s in the same edge. */
export async function measureIsolation(seconds: number): Promise<Isolation> {
  await using programs = new BenchPrograms();
  const [own, foreign] = [await lanes(), await lanes()];
  const echo = createSocket('udp4');
  const ping = createSocket('udp4');
  try {
    echo.on('message', (packet, { port, address }) => echo.send(packet, port, address));
    echo.bind(0, '127.0.0.1');
    await once(echo, 'listening');
    const listen = `127.0.0.1:${await freePort()}`;
    await startTunnel(programs, listen, `127.0.0.1:${echo.address().port}`, own.map(flowOf));
    await programs.startEdge('other', { flows: foreign.map(flowOf) });
    const ends = await programs.startEdge('ends', {
      flows: [...own, ...foreign].flatMap((lane, index) => endsOf(flows, lane, index)),
    });
    const port = Number(listen.split(':')[1]);
    await answers(ping, port);
    const aloneMs = await pingFor(ping, port, seconds);
    const beside = async (fed: readonly Lane[]): Promise<number> => {
      const stop = programs.feed(
        fed.map(({ feedPort }) => feedPort),
        flowBits,
      );
      await ends.receives('sink', flowCount, flowBits * 0.8);
      const tookMs = await pingFor(ping, port, seconds);
      stop();
      await pause(2000);
      return tookMs;
    };
    const besideMs = await beside(own);
    const elsewhereMs = await beside(foreign);
    return { aloneMs, besideMs, elsewhereMs };
  } finally {
    echo.close();
    ping.close();
  }
}

async function lanes(): Promise<Lane[]> {
  const made: Lane[] = [];
  for (let index = 0; index < flowCount; index++) {
    made.push({ feedPort: await freePort(), inPort: await freePort(), outPort: await freePort() });
  }
  return made;
}

/** A relay and both edges of a UDP tunnel, as `adit keygen` configures them; the flows run in the one that listens. */
async function startTunnel(programs: BenchPrograms, listen: string, forward: string, own: object[]): Promise<void> {
  const out = join(programs.folder, 'tunnel');
  const relay = `127.0.0.1:${await freePort()}`;
  const tunnel = ['--protocol', 'udp', '--name', 'ping', '--listen', listen, '--forward', forward];
  execFileSync(aditPath, ['keygen', ...tunnel, '--relay', relay, '--out', out], { stdio: 'ignore' });
  const read = (name: string): object => JSON.parse(readFileSync(join(out, name), 'utf8')) as object;
  const here = { quic_addrs: [relay], api_addrs: ['127.0.0.1:0'], log_level: 'error' };
  writeFileSync(join(out, 'relay.json'), JSON.stringify({ ...read('relay.json'), ...here }));
  programs.run(aditPath, ['relay', '-c', join(out, 'relay.json')]);
  await programs.startEdge('egress', { ...read('edge-egress.json'), flows: own });
  await programs.startEdge('ingress', read('edge-ingress.json'));
}

/** Until a ping comes back. */
async function answers(socket: Socket, port: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  let answered = 0;
  socket.once('message', () => answered++);
  while (answered === 0) {
    if (performance.now() > deadline) throw new Error('no ping came back through the tunnel');
    socket.send(Buffer.alloc(16), port, '127.0.0.1');
    await pause(100);
  }
  await pause(3000);
}

/** The 99th percentile of the round trip, ms. A ping that is lost counts as a second. */
async function pingFor(socket: Socket, port: number, seconds: number): Promise<number> {
  const sentMs: number[] = [];
  const tookMs: number[] = [];
  const take = (packet: Buffer): void => {
    const number = packet.readUInt32BE(0);
    tookMs[number] ??= performance.now() - (sentMs[number] ?? 0);
  };
  socket.on('message', take);
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    const packet = Buffer.alloc(100);
    packet.writeUInt32BE(sentMs.length, 0);
    sentMs.push(performance.now());
    socket.send(packet, port, '127.0.0.1');
    await pause(pingPeriodMs);
  }
  await pause(1000);
  socket.off('message', take);
  const all = sentMs.map((_, number) => tookMs[number] ?? 1000).toSorted((a, b) => a - b);
  return all[Math.floor(all.length * 0.99)] ?? Number.NaN;
}
