import { describe, expect, it } from 'vitest';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { admin, ManagerBed } from '../../support/manager/manager-bed.ts';
import { runEdge, runRelay } from '../../support/programs/running-programs.ts';
import { hastyRandom } from '../../support/programs/test-node-link.ts';
import { until } from '../../support/until.ts';

/** An address that was free a moment ago. */
async function freeUdpAddress(): Promise<string> {
  await using socket = await LocalUdpSocket.open();
  return socket.addr;
}

describe('a manager with our own relay and edges', () => {
  it('registers them by their tokens, makes a tunnel, and traffic goes through it until it is removed', async () => {
    await using manager = await ManagerBed.start();
    const relayNode = await manager.add('relay', 'relay');
    const [venue, studio] = [await manager.add('venue'), await manager.add('studio')];
    const linkOf = (token: string) => ({ manager: manager.configFor({ registration_token: token }) });
    await using relay = await runRelay({ ...linkOf(relayNode.token) }, hastyRandom);
    await using _venue = await runEdge({ edge_id: 'venue', ...linkOf(venue.token) }, hastyRandom);
    await using _studio = await runEdge({ edge_id: 'studio', ...linkOf(studio.token) }, hastyRandom);
    for (const { id } of [relayNode, venue, studio]) await manager.steady(id);
    await using decoder = await LocalUdpSocket.open();
    await using camera = await LocalUdpSocket.open();
    const listen = await freeUdpAddress();

    const { tunnel } = await manager.fleet.tunnels.create(
      {
        name: 'camera 1',
        protocol: 'udp',
        source: { node_id: venue.id, listen },
        destination: { node_id: studio.id, forward: decoder.addr },
        relays: [{ node_id: relayNode.id, relay_addr: relay.quicAddresses[0] ?? '' }],
      },
      admin,
    );
    await until(async () => (await manager.fleet.tunnels.get(tunnel.id)).status === 'active', {
      what: 'the tunnel is active',
    });
    await until(async () => (await manager.fleet.tunnels.get(tunnel.id)).running.source === 'ready', {
      what: 'the source says ready',
    });
    const port = Number(listen.split(':')[1]);
    await until(
      () => {
        camera.send(Buffer.from('a picture'), port);
        return decoder.received.some((payload) => payload.toString() === 'a picture');
      },
      { pollMs: 50, what: 'a datagram arrived' },
    );
    const why = () => manager.fleet.tunnels.why(tunnel.id);
    await until(async () => (await why()).every(({ level }) => level === 'good'), { what: 'nothing is wrong' });
    expect(await why()).toHaveLength(1);

    await manager.fleet.tunnels.remove(tunnel.id, null, admin);
    await until(async () => (await manager.fleet.tunnels.get(tunnel.id)).status === 'removed', {
      what: 'all forgot it',
    });
  });
});
