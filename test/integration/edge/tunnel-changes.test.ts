import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { parseTunnel } from '../../../src/edge/config/edge-config.ts';
import type { TunnelSettings } from '../../../src/edge/config/tunnel-config.ts';
import { startAuthorizedRelay } from '../../support/programs/authorized-relay.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { dialLocal, LocalTcpServer } from '../../support/peers/local-tcp.ts';
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
      `Tunnel 'renamed' stopped`,
    ]);
    await until(() => relay.relay.health().connected_edges === 0);
  });

  it('cuts no connection when a tunnel gets another name or another proof of its relay', async () => {
    await using engine = await openEngine(engineName);
    await using relay = await startAuthorizedRelay(engineName);
    await using server = await LocalTcpServer.start((socket) => socket.pipe(socket));
    await using far = await startTestEdge({
      engine,
      tunnels: [{ protocol: 'tcp', direction: 'ingress', local_addr: server.addr, relay_addr: relay.address }],
    });
    await using near = await startTestEdge({ engine, tunnels: [] });
    await near.edge.putTunnel(tunnel({ relay_addr: relay.address }));
    await near.reaches('ready');
    const socket = dialLocal(near.port());
    socket.write('before');
    expect(String(await once(socket, 'data'))).toBe('before');
    const renamed = { ...far.edge.tunnels()[0], name: 'renamed' } as TunnelSettings;
    expect(await far.edge.putTunnel(renamed)).toEqual({ kind: 'applied' });
    const pinned = tunnel({ relay_addr: relay.address, name: 'renamed too', relay_fingerprint: ['ab'.repeat(32)] });
    expect(
      await near.edge.putTunnel({ ...pinned, localAddr: near.edge.tunnels()[0]?.localAddr ?? pinned.localAddr }),
    ).toEqual({
      kind: 'applied',
    });
    expect([near.tunnel().name, far.tunnel().name]).toEqual(['renamed too', 'renamed']);
    socket.write('after');
    expect(String(await once(socket, 'data'))).toBe('after');
    socket.destroy();
    await far.edge.putTunnel({ ...renamed, enabled: false });
    expect(far.messages().at(-1)).toBe(`Tunnel 'renamed' stopped`);
    expect(far.log.lines.at(-1)?.fields).toMatchObject({ tunnel: 'renamed' });
  });

  it.each([
    ['exchange their ports', ['127.0.0.1:A', '127.0.0.1:B'], ['127.0.0.1:B', '127.0.0.1:A'], ['tcp', 'tcp']],
    ['pass them on', ['127.0.0.1:A', '127.0.0.1:B'], ['127.0.0.1:B', '127.0.0.1:0'], ['tcp', 'tcp']],
    ['meet a wildcard', ['0.0.0.0:A', '127.0.0.1:B'], ['127.0.0.1:B', '127.0.0.1:A'], ['tcp', 'tcp']],
    ['exchange their protocols', ['127.0.0.1:A', '127.0.0.1:A'], ['127.0.0.1:A', '127.0.0.1:A'], ['tcp', 'udp']],
  ])('lets two tunnels %s in one change', async (_how, before, after, [one, two]) => {
    await using engine = await openEngine(engineName);
    await using edge = await startTestEdge({ engine, tunnels: [] });
    const [a, b] = [await freePort(), await freePort()];
    const at = (addresses: readonly string[], protocols: readonly unknown[]): TunnelSettings[] =>
      [vectorTunnel.id, secondId].map((id, index) => {
        const local_addr = addresses[index]?.replace('A', String(a)).replace('B', String(b));
        return tunnel({ id, local_addr, protocol: protocols[index], relay_addr: '127.0.0.1:1' });
      });
    expect(await edge.edge.putTunnels(at(before, [one, two]))).toEqual([{ kind: 'applied' }, { kind: 'applied' }]);
    const next = at(after, one === two ? [one, two] : [two, one]);
    expect(await edge.edge.putTunnels(next)).toEqual([{ kind: 'applied' }, { kind: 'applied' }]);
    expect(edge.edge.tunnels()).toEqual(next);
    expect(edge.messages().filter((message) => message.includes('failed:'))).toEqual([]);
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

  it('starts without the tunnel whose port is taken, reports it, and starts it when the port is free', async () => {
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
