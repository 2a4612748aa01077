import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseRelayAction } from '../../src/protocol/node/relay-command.ts';
import { EventLoopWatch } from '../../src/lib/event-loop-watch.ts';
import { createRelayAdmin } from '../../src/relay/admin/relay-admin.ts';
import { mutations } from '../support/hostile/mutate.ts';
import { ManualClock } from '../support/fakes/manual-clock.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../support/samples/sample-relay.ts';
import { SeededRandom } from '../support/fakes/seeded-random.ts';
import { silentLogger } from '../support/fakes/silent-logger.ts';
import { TestManager } from '../support/peers/test-manager.ts';
import { TestNodeLink } from '../support/programs/test-node-link.ts';

const tunnelId = '6f1d2c3b-4a59-4e68-8777-9a8b7c6d5e4f';
const token = 'a'.repeat(64);

const actions = [
  { type: 'get_config' },
  { type: 'authorize_tunnel', tunnel_id: tunnelId, ingress_token: token, egress_token: token },
  { type: 'revoke_tunnel', tunnel_id: tunnelId },
  { type: 'close_tunnel', tunnel_id: tunnelId },
  { type: 'disconnect_edge', edge_id: 'edge-1' },
  { type: 'list_tunnels' },
  { type: 'list_authorized' },
];

const commands = actions.map((action, index) =>
  Buffer.from(
    JSON.stringify({
      type: 'command',
      timestamp: '2026-04-02T12:00:00Z',
      payload: { command_id: `c-${index}`, action },
    }),
  ),
);

const requests = [
  'GET /health HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n',
  'GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n',
  'GET /api/v1/tunnels?limit=5 HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n',
  `DELETE /api/v1/tunnels/${tunnelId} HTTP/1.1\r\nHost: relay\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
].map((text) => Buffer.from(text));

describe('a node that is fed nonsense', () => {
  it('A7 lives through 3000 mutated frames of a manager, and its link still answers', async () => {
    await using manager = await TestManager.start();
    manager.secrets.set('n', new Set(['s']));
    await using node = await TestNodeLink.start({
      manager: manager.configFor({ node_id: 'n', node_secret: 's' }),
      program: {
        execute: (action) => {
          const parsed = parseRelayAction(action);
          return { outcome: { success: true, data: parsed.kind } };
        },
      },
    });
    const online = await manager.nodeOnline();
    const source = mutations(commands, new SeededRandom(3));
    for (let i = 0; i < 3000; i++) online.sendText(source.next().value.toString('latin1'));
    expect(await online.command({ type: 'list_tunnels' })).toMatchObject({ success: true });
    expect(node.link.status.connectedUrl).toBe(manager.url);
  });

  it('A7 lives through 2000 mutated requests of a REST client, and still answers', async () => {
    const id = tunnelNumber(1);
    const { server } = createRelayAdmin(
      {
        clock: new ManualClock(),
        source: new SampleRelay([[id, sampleTunnel(id)]]),
        logger: silentLogger,
        loop: new EventLoopWatch(new ManualClock()),
        droppedLogLines: () => 0,
      },
      { addresses: [{ host: '127.0.0.1', port: 0 }], apiToken: null, fieldMetrics: false, maxTunnelsInMetrics: 10 },
    );
    await server.start();
    const port = server.addresses()[0]?.port ?? 0;
    const source = mutations(requests, new SeededRandom(4));
    try {
      for (let i = 0; i < 200; i++) {
        await Promise.all(Array.from({ length: 10 }, () => request(port, source.next().value)));
      }
      expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    } finally {
      await server.stop();
    }
  });
});

/** Sends the bytes and our end, and waits until the server has closed its own. */
async function request(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  socket.on('error', () => {});
  socket.resume();
  socket.end(bytes);
  await closed;
}
