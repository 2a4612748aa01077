import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { garbage, garbageKinds } from './garbage.ts';
import type { FloodOrder, FloodResult } from './flood.ts';

/** Sends garbage at a rate, in bursts of a millisecond or two, until its time is over. The packets are made beforehand. */
const order = workerData as FloodOrder;
const random = new SeededRandom(order.seed);
const packets = Array.from({ length: 512 }, (_, i) =>
  garbage(order.kinds[i % order.kinds.length] ?? garbageKinds[0] ?? 'noise', random),
).filter((packet) => packet.length > 0);

const socket = createSocket({
  type: isIPv6(order.target.ip) ? 'udp6' : 'udp4',
  sendBufferSize: 4 * 1024 * 1024,
  lookup: (host, _options, callback) => callback(null, host, isIPv6(host) ? 6 : 4),
});

let sent = 0;
let failed = 0;
let underWay = 0;
/** Beyond it the kernel does not take more, and what waits would only be memory. */
const mostUnderWay = 4096;
const startedMs = performance.now();

socket.on('error', () => {
  failed += 1;
});

function burst(): void {
  const elapsedMs = performance.now() - startedMs;
  if (elapsedMs >= order.durationMs) {
    finish(elapsedMs);
    return;
  }
  const due = Math.floor((elapsedMs * order.packetsPerSecond) / 1000);
  while (sent + failed < due && underWay < mostUnderWay) {
    underWay += 1;
    sent += 1;
    socket.send(packets[sent % packets.length] ?? Buffer.of(0), order.target.port, order.target.ip, (error) => {
      underWay -= 1;
      if (error !== null) failed += 1;
    });
  }
  setImmediate(burst);
}

function finish(elapsedMs: number): void {
  socket.close(() => {
    const result: FloodResult = { sent: sent - failed, failed, elapsedMs };
    parentPort?.postMessage(result);
  });
}

socket.bind({ port: 0, address: isIPv6(order.target.ip) ? '::1' : '127.0.0.1' }, burst);
