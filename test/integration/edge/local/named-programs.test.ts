import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../../../src/quic/engine-report.ts';
import type { TunnelProtocol } from '../../../../src/protocol/tunnel/leg.ts';
import { closeOf, dialLocal, LocalTcpServer } from '../../../support/peers/local-tcp.ts';
import { LocalUdpSocket } from '../../../support/peers/local-udp.ts';
import { startAuthorizedRelay } from '../../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../../support/programs/engines.ts';
import { openEngine } from '../../../support/programs/open-engine.ts';
import { startTestEdge, type TestEdge } from '../../../support/programs/test-edge.ts';
import { until } from '../../../support/until.ts';

interface World extends AsyncDisposable {
  readonly egress: TestEdge;
  readonly ingress: TestEdge;
}

/** A tunnel whose ingress edge forwards to `decoder`, a name as containers have it. */
async function startWorld(
  engineName: EngineName,
  protocol: TunnelProtocol,
  port: string,
  resolveHost: (host: string) => Promise<readonly string[]>,
): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const engine = starting.use(await openEngine(engineName));
  const relay = starting.use(await startAuthorizedRelay(engineName));
  const common = { protocol, relay_addr: relay.address } as const;
  const far = { ...common, direction: 'ingress', local_addr: `decoder:${port}` } as const;
  const ingress = starting.use(await startTestEdge({ engine, edgeId: 'far', tunnels: [far], resolveHost }));
  const near = { ...common, direction: 'egress' } as const;
  const egress = starting.use(await startTestEdge({ engine, edgeId: 'near', tunnels: [near] }));
  await egress.reaches('ready');
  const stack = starting.move();
  return { egress, ingress, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const portOf = ({ addr }: { readonly addr: string }): string => addr.split(':').at(-1) ?? '';
const unknown = (): Error => Object.assign(new Error('getaddrinfo ENOTFOUND decoder'), { code: 'ENOTFOUND' });

describe.each(await builtEngines())('an ingress edge over %s that forwards to a name', (engineName) => {
  it('looks it up for each TCP connection, and says so where it does not resolve', async () => {
    await using server = await LocalTcpServer.start((socket) => socket.end('answer'));
    const asked: string[] = [];
    let isKnown = false;
    await using world = await startWorld(engineName, 'tcp', portOf(server), async (host) => {
      asked.push(host);
      if (!isKnown) throw unknown();
      return ['127.0.0.1'];
    });
    expect(world.ingress.tunnel().local_addr).toBe(`decoder:${portOf(server)}`);
    expect(await closeOf(dialLocal(world.egress.port()).resume())).toBe('ECONNRESET');
    const words = `nothing takes what arrives for decoder:${portOf(server)}: its name does not resolve (ENOTFOUND)`;
    await until(() => world.ingress.edge.health().reasons.join().includes(words));
    isKnown = true;
    for (let connections = 0; connections < 2; connections++) {
      const [answer] = (await once(dialLocal(world.egress.port()), 'data')) as [Buffer];
      expect(answer.toString()).toBe('answer');
    }
    expect(world.ingress.edge.health().status).toBe('ok');
    expect(asked).toEqual(['decoder', 'decoder', 'decoder']);
  });

  it('waits with UDP until the name resolves', async () => {
    await using source = await LocalUdpSocket.open();
    await using sink = await LocalUdpSocket.open();
    let tries = 0;
    await using world = await startWorld(engineName, 'udp', portOf(sink), async () => {
      if (++tries < 2) throw unknown();
      return ['127.0.0.1'];
    });
    await world.ingress.reaches('ready');
    expect(world.ingress.messages()[0]).toMatch(/^Tunnel 'test tunnel' failed: .*ENOTFOUND decoder/);
    await until(() => {
      source.send(Buffer.from('a frame'), world.egress.port());
      return sink.received.length > 0;
    });
    sink.reply(Buffer.from('an answer'));
    await until(() => source.received.length > 0);
  });
});
