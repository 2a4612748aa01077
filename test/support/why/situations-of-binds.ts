import { freePort } from '../../../src/cli/demo/free-port.ts';
import type { Situation } from './situation.ts';

const otherKey = 'ab'.repeat(32);
const token = 'a-token-of-at-least-sixteen-characters';
const noConnection = /^There is no connection to the relay .*: nothing listens there \(ECONNREFUSED\)\.$/;
const missing = (direction: string): RegExp =>
  new RegExp(`^The ${direction} leg has been missing for .*, while the (in|e)gress edge waits`);

/** What keeps an edge from holding its leg. */
export const situationsOfBinds: readonly Situation[] = [
  {
    title: 'everything works',
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.isUp();
      await bed.sends(1000, 50);
    },
    says: [
      { at: 'relay', level: 'good', cause: /^Both legs are there, for .*\.$/, remedy: null },
      { at: 'egress', level: 'good', cause: /^The tunnel is up through 127\.0\.0\.1:\d+\.$/, remedy: null },
    ],
  },
  {
    title: 'the relay does not know the tunnel',
    rows: ['not authorised'],
    isQuick: true,
    cause: (bed) => bed.tunnel({ relay: { tunnels: [] } }),
    says: [
      { at: 'relay', cause: /^The tunnel is not authorised on this relay/, remedy: /^list the tunnel under tunnels/ },
      {
        at: 'egress',
        cause: /^The relay .* does not let us hold the leg: tunnel not authorised\.$/,
        remedy: /^list the tunnel under tunnels in the relay's config/,
      },
    ],
  },
  {
    title: 'one edge has another tunnel_bind_secret',
    rows: ['was refused: bind authentication failed'],
    isQuick: true,
    cause: (bed) => bed.tunnel({ egress: { tunnel: { tunnel_bind_secret: otherKey } } }),
    says: [
      {
        at: 'relay',
        cause: /^The egress edge \(camera, .*\) was refused: bind authentication failed/,
        remedy: /^give the edge the tunnel_bind_secret/,
      },
      {
        at: 'egress',
        cause: /hold the leg: bind authentication failed/,
        remedy: /^give the edge the tunnel_bind_secret/,
      },
      {
        at: 'ingress',
        cause: /^The relay has our leg, and the egress edge is not there/,
        remedy: /^start the egress edge; if it runs/,
      },
    ],
  },
  {
    title: 'the egress edge was never started',
    rows: ['the … leg has been missing'],
    isQuick: true,
    cause: (bed) => bed.tunnel({ egress: null }),
    says: [
      { at: 'relay', cause: missing('egress'), remedy: /^start the egress edge/ },
      {
        at: 'ingress',
        cause: /^The relay has our leg, and the egress edge is not there/,
        remedy: /^start the egress edge; if it runs/,
      },
    ],
  },
  {
    title: 'the ingress edge was stopped',
    isQuick: true,
    async cause(bed) {
      await bed.tunnel({ ingress: null });
      const ingress = await bed.edge('ingress');
      await bed.isUp();
      ingress.kill('SIGTERM');
      await ingress.exit();
    },
    says: [
      {
        at: 'relay',
        cause: /^The ingress leg has been missing for .* waits \(last: Tunnel down: edge disconnected, .* ago\)\.$/,
        remedy: /^start the ingress edge/,
      },
      {
        at: 'egress',
        cause: /^The relay has our leg, and the ingress edge is not/,
        remedy: /^start the ingress edge; if it runs/,
      },
    ],
  },
  {
    title: 'both edges run the file of the egress edge',
    rows: ['two edges claim the … side, and none the other'],
    isQuick: true,
    async cause(bed) {
      await bed.tunnel({ ingress: null });
      const local_addr = `127.0.0.1:${await freePort()}`;
      await bed.edge('egress', { place: 'ingress', config: { edge_id: 'studio' }, tunnel: { local_addr } });
    },
    says: [
      {
        at: 'relay',
        cause: /^Two edges claim the egress side, and none the ingress side: one of them runs the other one’s file/,
        remedy: /^give one of the two the file whose direction is ingress/,
      },
    ],
  },
  {
    title: 'one edge says tcp, the other udp',
    rows: ['was refused: protocol mismatch'],
    isQuick: true,
    cause: (bed) => bed.tunnel({ ingress: { tunnel: { protocol: 'tcp' } } }),
    says: [{ at: 'relay', cause: /was refused: protocol mismatch/, remedy: /^give both edges the same protocol/ }],
  },
  {
    title: 'another edge has taken the ingress leg',
    rows: ['was refused: leg held, replaced too often', 'replaced by a new connection'],
    isQuick: false,
    async cause(bed) {
      await bed.tunnel();
      await bed.isUp();
      await bed.edge('ingress', { place: 'double', config: { edge_id: 'double' } });
    },
    says: [
      {
        at: 'ingress',
        cause: /does not let us hold the leg: (replaced by a new connection|leg held by a live edge)/,
        remedy: /^two edges have the same direction of this tunnel/,
      },
      {
        at: 'relay',
        cause: /^The ingress edge \(studio, .*\) was refused: leg held by a live edge/,
        remedy: /^two edges have the same direction/,
      },
    ],
  },
  {
    title: 'another edge has taken the place of one that crashed',
    rows: ['went from … to …'],
    isQuick: true,
    async cause(bed) {
      await bed.tunnel({ ingress: null });
      const ingress = await bed.edge('ingress');
      await bed.isUp();
      ingress.kill('SIGKILL');
      await ingress.exit();
      await bed.edge('ingress', { place: 'spare', config: { edge_id: 'spare' } });
    },
    says: [
      {
        at: 'relay',
        level: 'note',
        cause: /^The ingress leg went from studio to spare \(.* ago\)\.$/,
        remedy: /^if that was not meant, two edges have the same direction/,
      },
    ],
  },
  {
    title: 'someone deleted the tunnel over REST',
    rows: ['revoked'],
    isQuick: true,
    async cause(bed) {
      bed.env = { ADIT_API_TOKEN: token };
      await bed.tunnel({ relay: { api_token: token } });
      await bed.isUp();
      const headers = { authorization: `Bearer ${token}` };
      await fetch(`http://${bed.relays[0]?.api ?? ''}/api/v1/tunnels/${bed.secrets.id}`, { method: 'DELETE', headers });
    },
    says: [
      { at: 'relay', cause: /^The tunnel is revoked: nobody may bind it\.$/, remedy: /adit unrevoke/ },
      { at: 'egress', cause: /does not let us hold the leg: .*(deleted|revoked)/, remedy: /adit unrevoke/ },
    ],
  },
  {
    title: 'the address of the edges has all its connections',
    isQuick: true,
    async cause(bed) {
      await bed.relay({ config: { max_connections_per_ip: 1 } });
      await bed.edge('egress');
      await bed.edge('ingress');
    },
    says: [
      {
        at: 'relay',
        cause: /^Connections from 127\.0\.0\.1 are refused: it has 1 already, which is max_connections_per_ip/,
        remedy: /^raise max_connections_per_ip/,
      },
      {
        at: 'ingress',
        cause: /^There is no connection to the relay/,
        remedy: /^raise max_connections_per_ip of the relay/,
      },
    ],
  },
  {
    title: 'the relay has all the tunnels that limits.max_tunnels allows',
    isQuick: false,
    async cause(bed) {
      const other = '11111111-2222-4333-8444-555555555555';
      const own = { id: bed.secrets.id, name: 'camera-1', bind_secret: bed.secrets.bindSecret };
      const tunnels = [own, { ...own, id: other, name: 'camera-2' }];
      await bed.relay({ config: { tunnels, limits: { max_tunnels: 1 } } });
      await bed.edge('egress', { place: 'first', tunnel: { id: other, name: 'camera-2' } });
      await bed.edge('egress', { tunnel: { local_addr: `127.0.0.1:${await freePort()}` } });
    },
    says: [
      {
        at: 'relay',
        cause: /^The egress edge \(camera, .*\) was refused: tunnel limit of the relay exceeded/,
        remedy: /^raise limits\.max_tunnels/,
      },
      {
        at: 'egress',
        cause: /does not let us hold the leg: tunnel limit of the relay exceeded/,
        remedy: /^raise limits\.max_tunnels on the relay/,
      },
    ],
  },
  {
    title: 'the relay has all the connections that limits.max_connections allows',
    isQuick: true,
    async cause(bed) {
      await bed.relay({ config: { limits: { max_connections: 1 } } });
      await bed.edge('ingress');
      await bed.edge('egress');
    },
    says: [
      {
        at: 'relay',
        cause: /^The relay takes no new tunnels: the cap on connections is reached\.$/,
        remedy: /^raise limits\.max_connections/,
      },
      {
        at: 'egress',
        cause: /^There is no connection to the relay .*refused/,
        remedy: /^raise limits\.max_connections/,
      },
    ],
  },
  {
    title: 'one of two relays has stopped',
    isQuick: false,
    async cause(bed) {
      await bed.relay();
      const second = await bed.relay({ place: 'second relay' });
      await Promise.all([bed.edge('egress'), bed.edge('ingress')]);
      await bed.isUp();
      second.program.kill('SIGTERM');
      await second.program.exit();
    },
    says: [{ at: 'egress', cause: noConnection, remedy: /^no relay listens at that/ }],
  },
  {
    title: 'one edge knows only one of two relays',
    rows: ['there is no fail-over'],
    isQuick: true,
    async cause(bed) {
      await bed.relay();
      await bed.edge('ingress');
      await bed.relay({ place: 'second relay' });
      await bed.edge('egress');
    },
    says: [
      {
        at: 'egress',
        cause: /^There is no fail-over: the ingress edge is not at the relay 127\.0\.0\.1:\d+\.$/,
        remedy: /^list that relay in relay_addrs of the ingress edge/,
      },
    ],
  },
];
