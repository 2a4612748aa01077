import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { SystemClock } from '../../lib/clock.ts';
import { SystemRandom } from '../../lib/random.ts';
import { openDatagramSocket } from '../net/datagram-socket.ts';
import { httpPut } from '../net/http-put.ts';
import { dialTcp, listenTcp } from '../net/tcp.ts';
import { TunnelWays } from '../net/tunnel-ways.ts';
import { FlowHost } from './flow-host.ts';
import type { HostMessage, HostRequest } from './host-message.ts';
import { PacketRest } from './packet-rest.ts';
import { Pulse } from './pulse.ts';

/** The worker's main: everything that media flows do on the network happens here. */

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker');
const clock = new SystemClock();
const random = new SystemRandom();
const tunnels = new TunnelWays();
/** Nobody ends a rest. */
const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const rest = new PacketRest({
  clock,
  afterReads: setImmediate,
  sleep: (ms) => Atomics.wait(never, 0, 0, ms),
});

const host = new FlowHost({
  clock,
  random,
  pulse: new Pulse(clock),
  openSocket: (settings, observer) => openDatagramSocket(settings, rest.watch(observer)),
  openTunnel: (tunnel, observer) => tunnels.open(tunnel, rest.watch(observer)),
  listenTcp,
  dialTcp,
  httpPut,
  resolve: async (name) => {
    const family = isIP(name);
    return family === 0 ? lookup(name) : { address: name, family };
  },
  say: (message: HostMessage) => port.postMessage(message),
  onPatience: (ms) => (rest.patienceMs = ms),
});

port.on('message', (request: HostRequest) => {
  if ('tunnels' in request) tunnels.attach(request.tunnels, request.port);
  else if ('question' in request) void host.answer(request.id, request.question);
  else void host.take(request.id, request.order);
});
clock.setInterval(() => host.report(), 1000);
