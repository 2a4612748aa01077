import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { closeOf, dialLocal } from '../../support/peers/local-tcp.ts';
import { startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../support/programs/test-edge.ts';
import { until } from '../../support/until.ts';

interface World extends AsyncDisposable {
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
  /** Where the ingress edge takes connections to; nothing listens there. */
  readonly port: number;
  /** A local program connects, says something, and goes when the connection ends. */
  connect(): Promise<void>;
}

async function startWorld(engineName: EngineName, ingressKeys: object = {}, egressKeys: object = {}): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const engine = starting.use(await openEngine(engineName));
  const relay = starting.use(await startAuthorizedRelay(engineName));
  const port = await freePort();
  const common = { protocol: 'tcp', relay_addr: relay.address } as const;
  const far = { ...common, direction: 'ingress', local_addr: `127.0.0.1:${port}`, ...ingressKeys } as const;
  const ingress = starting.use(await startTestEdge({ engine, edgeId: 'far', tunnels: [far] }));
  const near = { ...common, direction: 'egress', ...egressKeys } as const;
  const egress = starting.use(await startTestEdge({ engine, edgeId: 'near', tunnels: [near] }));
  await egress.reaches('ready');
  await ingress.reaches('ready');
  const stack = starting.move();
  return {
    egress,
    ingress,
    port,
    connect: async () => {
      const socket = dialLocal(egress.port());
      socket.end('hello');
      await closeOf(socket.resume());
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const reasons = ({ edge }: TestEdge): string => edge.health().reasons.join('\n');

describe.each(await builtEngines())('a fault of a tunnel that is up over %s', (engineName) => {
  it('stays in the health of both edges until the local program answers, however long nobody tries', async () => {
    await using world = await startWorld(engineName);
    await world.connect();
    await until(() => reasons(world.ingress) !== '' && reasons(world.egress) !== '');
    const clause = `tunnel test tunnel: nothing takes what arrives for 127.0.0.1:${world.port}: nothing listens there (ECONNREFUSED)`;
    expect(reasons(world.ingress)).toBe(clause);
    expect(reasons(world.egress)).toContain('the program behind the other edge does not accept connections');
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('answer'),
    );
    await new Promise<void>((resolve) => server.listen(world.port, '127.0.0.1', resolve));
    await world.connect();
    await until(() => reasons(world.ingress) === '' && reasons(world.egress) === '');
    expect(world.ingress.edge.health().status).toBe('ok');
    await new Promise((resolve) => server.close(resolve));
  });

  it('is the key at both edges when the keys differ', async () => {
    await using world = await startWorld(engineName, { tunnel_encryption_key: 'ab'.repeat(32) });
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => server.listen(world.port, '127.0.0.1', resolve));
    await world.connect();
    await until(() => reasons(world.ingress) !== '' && reasons(world.egress) !== '');
    expect(reasons(world.ingress)).toContain(
      'what the other edge sends cannot be opened: the edges have different keys',
    );
    expect(reasons(world.egress)).toContain(
      'the other edge cannot open what is sent to it: the edges have different keys',
    );
    await new Promise((resolve) => server.close(resolve));
  });

  it('is a relay of the two that is not there, while the tunnel is up through the other', async () => {
    await using gone = await startAuthorizedRelay(engineName);
    const { address } = gone;
    await using world = await startWorld(engineName);
    const tunnel = { protocol: 'tcp', direction: 'egress' } as const;
    const { relays } = world.egress.edge.tunnelReports()[0] ?? { relays: [] };
    await using engine = await openEngine(engineName);
    await world.egress.edge.stop();
    await using two = await startTestEdge({
      engine,
      tunnels: [{ ...tunnel, relay_addrs: [relays[0]?.relay_addr, address] }],
    });
    await until(() => reasons(two).includes(`no fail-over: the other edge is not at the relay ${address}`));
    await gone.relay.stop();
    await until(() => reasons(two).includes(`no fail-over: no leg at the relay ${address}`));
    expect(two.tunnel().state).toBe('ready');
    expect(two.edge.health().status).toBe('degraded');
  });
});
