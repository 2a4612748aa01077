import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { OtherMachine } from '../network/other-machine.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import { EchoDevice } from './echo-device.ts';
import type { Situation } from './situation.ts';
import type { WhyBed } from './why-bed.ts';

const otherKey = 'ab'.repeat(32);

/** A local program that opens a TCP connection into the tunnel; it is closed with the bed. */
function dial(bed: WhyBed): void {
  const socket = connect(Number(bed.listen.split(':')[1]), '127.0.0.1');
  // What the edge does with it is what is asked about.
  socket.on('error', () => {});
  bed.defer(() => void socket.destroy());
}

/** What is wrong at the ends of the tunnel: keys, local programs, addresses. */
export const situationsOfEnds: readonly Situation[] = [
  {
    title: 'one edge has another tunnel_encryption_key',
    rows: ['the edges have different keys'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel({ ingress: { tunnel: { tunnel_encryption_key: otherKey } } });
      await bed.sends(1000, 50);
    },
    says: [
      {
        at: 'ingress',
        cause: /^What the other edge sends cannot be opened: the edges have different keys/,
        remedy: /^give both edges/,
      },
      {
        at: 'egress',
        cause: /^The other edge cannot open what is sent to it/,
        remedy: /^give both edges the same tunnel_enc/,
      },
      {
        at: 'relay',
        cause: /^The ingress edge \(studio\) says: it cannot open/,
        remedy: /^give both edges the same tunnel_enc/,
      },
    ],
  },
  {
    title: 'no program takes the UDP that the ingress edge delivers',
    rows: ['nothing takes what arrives'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.device.close();
      await bed.sends(1000, 50);
    },
    says: [
      {
        at: 'ingress',
        cause: /^Nothing takes what arrives for 127\.0\.0\.1:\d+: nothing listens there/,
        remedy: /^start the program/,
      },
      { at: 'egress', cause: /^The program behind the other edge does not accept/, remedy: /^start it there/ },
      { at: 'relay', cause: /^The ingress edge \(studio\) says: nothing takes/, remedy: /^start the program there/ },
    ],
  },
  {
    title: 'the service behind the ingress edge refuses TCP connections',
    rows: ['the program behind the other edge does not accept'],
    isQuick: false,
    protocol: 'tcp',
    async cause(bed) {
      await bed.tunnel({ ingress: { tunnel: { local_addr: `127.0.0.1:${await freePort()}` } } });
      await bed.isUp();
      dial(bed);
    },
    says: [
      {
        at: 'ingress',
        cause: /^Nothing takes what arrives for 127\.0\.0\.1:\d+: nothing listens there/,
        remedy: /^start the program/,
      },
      {
        at: 'egress',
        cause: /^The program behind the other edge does not accept connections/,
        remedy: /^start it there/,
      },
    ],
  },
  {
    title: 'another program has the port of the egress edge',
    isQuick: false,
    async cause(bed) {
      const taken = bed.use(await LocalUdpSocket.open());
      await bed.tunnel({ ingress: null, egress: { tunnel: { local_addr: taken.addr } } });
    },
    says: [{ at: 'egress', cause: /: another program has it \(EADDRINUSE\)\.$/, remedy: /^stop that one/ }],
  },
  {
    title: 'two programs send to one UDP port',
    rows: ['several programs send to … at once'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.sends(1000, 50);
      bed.use(await EchoDevice.open(false)).sendTo(bed.listen, 500, 50);
    },
    says: [
      {
        at: 'egress',
        cause: /^Several programs send to 127\.0\.0\.1:\d+ at once/,
        remedy: /^give each of them a tunnel/,
      },
      {
        at: 'relay',
        cause: /^The egress edge \(camera\) says: several programs send/,
        remedy: /^give each of them a tunnel/,
      },
    ],
  },
  {
    title: 'the machine has lost the address that the egress edge listens on',
    rows: ['this machine has no way to …, cannot listen on …'],
    isQuick: false,
    needsRoot: true,
    async cause(bed) {
      const machine = bed.use(OtherMachine.start());
      await bed.relay({ config: { quic_addrs: [`${machine.here}:0`] } });
      const tunnel = { local_addr: `${machine.address}:5000` };
      await Promise.all([bed.edge('egress', { machine, tunnel }), bed.edge('ingress')]);
      await bed.isUp();
      machine.renumber();
    },
    says: [
      {
        at: 'egress',
        cause: /^This machine cannot listen on .*: it does not have this address/,
        remedy: /^give it the address/,
      },
    ],
  },
  {
    title: 'local programs open more TCP connections than the tunnel may have',
    rows: ['TCP connections were refused'],
    isQuick: false,
    protocol: 'tcp',
    async cause(bed) {
      const server = createServer(() => {}).listen(0, '127.0.0.1');
      await once(server, 'listening');
      bed.defer(() => void server.close());
      const address = server.address();
      const local_addr = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
      const few = { max_connections_per_tunnel: 1 };
      await bed.tunnel({ egress: { config: few }, ingress: { config: few, tunnel: { local_addr } } });
      await bed.isUp();
      const timer = setInterval(() => dial(bed), 200);
      bed.defer(() => clearInterval(timer));
    },
    says: [
      {
        at: 'egress',
        cause: /^\d+ TCP connections were refused just now .*too_many\)/,
        remedy: /^raise max_connections_per_tunnel/,
      },
    ],
  },
  {
    title: 'nothing is sent into the tunnel',
    isQuick: false,
    cause: (bed) => bed.tunnel(),
    says: [
      {
        at: 'egress',
        level: 'note',
        cause: /^Nothing goes through it now, in either direction\.$/,
        remedy: /^look at what should send to/,
      },
      {
        at: 'relay',
        level: 'note',
        cause: /^Neither edge is sending anything now\.$/,
        remedy: /^look at what feeds the edges/,
      },
    ],
  },
];
