import { createSocket } from 'node:dgram';
import { workerData } from 'node:worker_threads';
import { StreamMaker } from './stream-maker.ts';

/** The main of a thread that sends a stream to some ports: a bench that measures delays must not wait for it. */

const pacePeriodMs = 4;

const { ports, bitsPerSecond } = workerData as { readonly ports: readonly number[]; readonly bitsPerSecond: number };
const maker = new StreamMaker(bitsPerSecond);
const socket = createSocket('udp4');
const startMs = performance.now();
setInterval(() => {
  for (const chunk of maker.upTo(performance.now() - startMs)) {
    for (const port of ports) socket.send(chunk, port, '127.0.0.1');
  }
}, pacePeriodMs);
