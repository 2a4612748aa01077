import { describe, expect, it } from 'vitest';
import { parseTunnel } from '../../../src/edge/config/edge-config.ts';
import type { TunnelSettings } from '../../../src/edge/config/tunnel-config.ts';
import { startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { LocalTcpServer } from '../../support/peers/local-tcp.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { startTestEdge } from '../../support/programs/test-edge.ts';
import { until } from '../../support/until.ts';
import { bindVector, sealVector, vectorTunnel } from '../../support/samples/vectors.ts';

const secondId = '00000000-0000-4000-8000-000000000001';

function tunnel(changes: object): TunnelSettings {
  const entry = {
    id: vectorTunnel.id,
    name: 'test tunnel',
    protocol: 'tcp',
    direction: 'egress',
    local_addr: '127.0.0.1:0',
    tunnel_encryption_key: sealVector.keyHex,
    tunnel_bind_secret: bindVector.secret,
    ...changes,
  };
  const parsed = parseTunnel(entry, { directory: '/nowhere', requireBindProof: false });
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  return parsed.tunnel;
}

describe.each(await builtEngines())('a running edge over %s', (engineName) => {
  it('takes a new tunnel, a changed one and one less', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using edge = await startTestEdge({ engine, tunnels: [] });
    expect(edge.edge.health()).toMatchObject({ status: 'ok', total_tunnels: 0 });
    const first = tunnel({ relay_addr: relay.address });
    expect(await edge.edge.putTunnel(first)).toEqual({ kind: 'applied' });
    await edge.reaches('waiting');
    expect(await edge.edge.putTunnel(tunnel({ relay_addr: relay.address }))).toEqual({ kind: 'unchanged' });
    expect(await edge.edge.putTunnel({ ...first, name: 'renamed' })).toEqual({ kind: 'applied' });
    await edge.reaches('waiting');
    expect(edge.edge.tunnels().map(({ name }) => name)).toEqual(['renamed']);
    expect(await edge.edge.putTunnel({ ...first, enabled: false })).toEqual({ kind: 'applied' });
    expect(edge.tunnel().state).toBe('stopped');
    expect(await edge.edge.removeTunnel(first.id)).toEqual({ ...first, enabled: false });
    expect(await edge.edge.removeTunnel(first.id)).toBeNull();
    expect(edge.messages().filter((message) => /started|stopped/.test(message))).toEqual([
      `Tunnel 'test tunnel' started`,
      `Tunnel 'test tunnel' stopped`,
      `Tunnel 'renamed' started`,
      `Tunnel 'renamed' stopped`,
    ]);
    await until(() => relay.relay.health().connected_edges === 0);
  });

  it('refuses a tunnel whose port is taken, and keeps the old one running', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using taken = await LocalTcpServer.start(() => {});
    await using edge = await startTestEdge({ engine, tunnels: [] });
    const first = tunnel({ relay_addr: relay.address });
    await edge.edge.putTunnel(first);
    const [host = '', port = ''] = taken.addr.split(':');
    const elsewhere = { ...first, localAddr: { host, port: Number(port) } };
    expect(await edge.edge.putTunnel(elsewhere)).toMatchObject({
      kind: 'port-conflict',
      error: expect.stringContaining('EADDRINUSE') as string,
    });
    await edge.reaches('waiting');
    expect(edge.edge.tunnels()).toEqual([first]);
    const own = edge.port();
    const second = tunnel({ id: secondId, relay_addr: relay.address, local_addr: `127.0.0.1:${own}` });
    await edge.edge.putTunnel({ ...first, localAddr: { host, port: own } });
    expect(await edge.edge.putTunnel(second)).toEqual({
      kind: 'port-conflict',
      error: `tcp 127.0.0.1:${own} is taken by tunnel 'test tunnel'`,
    });
  });

  it('starts without the tunnel whose port is taken, says so, and starts it when the port is free', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    const taken = await LocalTcpServer.start(() => {});
    await using edge = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'tcp', direction: 'egress', local_addr: taken.addr, relay_addr: relay.address }],
    });
    expect(edge.tunnel().state).toBe('down');
    expect(edge.edge.health()).toMatchObject({ status: 'degraded', reasons: ['tunnels that are down: test tunnel'] });
    expect(edge.events[0]).toMatchObject({ severity: 'critical' });
    expect(edge.messages()[0]).toMatch(/^Tunnel 'test tunnel' failed: cannot listen on TCP .*EADDRINUSE/);
    await taken[Symbol.asyncDispose]();
    await edge.reaches('waiting');
    expect(edge.messages().slice(1, 2)).toEqual([`Tunnel 'test tunnel' started`]);
  });

  it('takes no change once it has stopped', async () => {
    await using engine = await openEngine(engineName);
    const edge = await startTestEdge({ engine, tunnels: [] });
    await edge.edge.stop();
    await expect(edge.edge.putTunnel(tunnel({ relay_addr: '127.0.0.1:1' }))).rejects.toThrow('not running');
    await expect(edge.edge.removeTunnel(tunnel({ relay_addr: '127.0.0.1:1' }).id)).rejects.toThrow('not running');
  });
});
