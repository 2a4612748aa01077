import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { explainAtEdge } from '../../../src/cli/why/explain-edge.ts';
import type { EdgeTunnelFacts } from '../../../src/edge/admin/edge-schemas.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { closeOf, dialLocal, LocalTcpServer } from '../../support/peers/local-tcp.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import { startTestRelay, type TestRelay } from '../../support/programs/test-relay.ts';
import { until } from '../../support/until.ts';

interface World extends AsyncDisposable {
  readonly relay: TestRelay;
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
  /** So many connections through the tunnel, each of which has been answered or has ended; who asks says which. */
  connect(count: number): Promise<{ readonly answered: number; readonly refused: number }>;
}

interface Limits {
  readonly relay?: object;
  readonly egress?: number;
  readonly ingress?: number;
}

async function startWorld(engineName: EngineName, limits: Limits): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const engine = starting.use(await openEngine(engineName));
  const server = starting.use(await LocalTcpServer.start((socket) => socket.write('hello')));
  const relay = starting.use(await startTestRelay({ engine: engineName, config: { limits: limits.relay ?? {} } }));
  const common = { protocol: 'tcp', relay_addr: relay.address } as const;
  const edge = (direction: 'ingress' | 'egress', keys: object, maxConnections?: number): Promise<TestEdge> =>
    startTestEdge({
      engine,
      edgeId: direction,
      tunnels: [{ ...common, direction, ...keys }],
      ...(maxConnections !== undefined && { keys: { max_connections_per_tunnel: maxConnections } }),
    });
  const ingress = starting.use(await edge('ingress', { local_addr: server.addr }, limits.ingress));
  const egress = starting.use(await edge('egress', {}, limits.egress));
  await egress.reaches('ready');
  await ingress.reaches('ready');
  const sockets: Socket[] = [];
  starting.defer(() => sockets.forEach((socket) => socket.destroy()));
  const stack = starting.move();
  return {
    relay,
    egress,
    ingress,
    connect: async (count) => {
      const outcomes = Array.from({ length: count }, async () => {
        const socket = dialLocal(egress.port());
        sockets.push(socket);
        const answer = once(socket, 'data').then(
          () => 'answered',
          () => 'refused',
        );
        return Promise.race([answer, closeOf(socket).then(() => 'refused')]);
      });
      const all = await Promise.all(outcomes);
      const answered = all.filter((outcome) => outcome === 'answered').length;
      return { answered, refused: count - answered };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What `adit why` says at the edge. */
function why({ edge }: TestEdge): string {
  const [tunnel] = edge.tunnelReports();
  if (tunnel === undefined) throw new Error('no tunnel');
  const about = { tunnel_id: tunnel.id, at: '2026-04-02T12:00:00.000Z', edge_id: 'e', edge_version: '0.1.0' };
  const after: EdgeTunnelFacts = {
    ...about,
    tunnel,
    stall: null,
    descriptor_shortage: null,
    loop_lag_ms: 0,
    exposed_files: [],
    events: [],
  };
  const before = { ...after, tunnel: { ...tunnel, refused_connections: {} } };
  return explainAtEdge(before, after)
    .map(({ text, remedy }) => `${text} → ${remedy ?? ''}`)
    .join('\n');
}

describe.each(await builtEngines())('a TCP connection above a limit on %s', (engineName) => {
  it.each(['egress', 'ingress'] as const)('of the %s edge is refused, counted, logged and explained', async (side) => {
    await using world = await startWorld(engineName, { [side]: 3 });
    expect(await world.connect(5)).toEqual({ answered: 3, refused: 2 });
    const edge = world[side];
    expect(edge.edge.tunnelReports()[0]?.refused_connections).toEqual({ too_many: 2 });
    await until(() => edge.messages().includes('TCP connections refused: too_many'));
    expect(edge.events.at(-1)).toMatchObject({ severity: 'warning', details: { reason: 'too_many', window: 60 } });
    expect(why(edge)).toContain('so many are open as max_connections_per_tunnel allows. → raise max_connections_per');
  });

  it('of the relay for one edge waits for a second, and then is refused by the edge with that reason', async () => {
    await using world = await startWorld(engineName, { relay: { max_bidi_streams: 5 } });
    const { answered, refused } = await world.connect(8);
    expect(answered + refused).toBe(8);
    expect(refused).toBeGreaterThan(0);
    expect(world.egress.edge.tunnelReports()[0]?.refused_connections).toEqual({ no_stream: refused });
    expect(why(world.egress)).toContain(
      "granted no stream for them within a second. → raise the relay's limits.max_bidi",
    );
  });

  it('of the relay in all is refused by the relay, which counts, logs and explains it', async () => {
    await using world = await startWorld(engineName, { relay: { max_open_streams: 3 } });
    expect(await world.connect(5)).toEqual({ answered: 3, refused: 2 });
    const { report } = world.relay.relay;
    expect(report.refusedStreams(null)).toMatchObject({ relay_full: 2 });
    const refused = await until(() => world.relay.events.find(({ event }) => event.kind === 'streams-refused'));
    expect(refused.report).toMatchObject({ message: 'TCP connections refused: relay_full', details: { window: 60 } });
  });
});
