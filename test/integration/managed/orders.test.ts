import { describe, expect, it } from 'vitest';
import { computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import { readJsonFile } from '../../../src/config/json-file.ts';
import { runAdit } from '../../support/programs/adit-command.ts';
import { builtEngines } from '../../support/programs/engines.ts';
import { knownTunnelId } from '../../support/samples/known-tunnel-id.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import type { ManagedNode } from '../../support/peers/managed-node.ts';
import { startManagedEdge, startManagedRelay } from '../../support/programs/managed-programs.ts';
import { openEngine } from '../../support/programs/open-engine.ts';
import { ScriptedEdge } from '../../support/peers/scripted-edge.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { until } from '../../support/until.ts';
import { bindVector, sealVector, vectorTunnel } from '../../support/samples/vectors.ts';

const id = knownTunnelId(vectorTunnel.id);
const oldSecret = bindVector.secret;
const newSecret = 'fe'.repeat(32);

function authorize(secret: string): Record<string, unknown> {
  return {
    type: 'authorize_tunnel',
    tunnel_id: id,
    ingress_token: computeBindToken(secret, id, 'ingress'),
    egress_token: computeBindToken(secret, id, 'egress'),
  };
}

/** The node with this id, when it is connected. */
async function nodeOf(manager: TestManager, nodeId: string): Promise<ManagedNode> {
  return until(() => manager.connections.find((node) => node.nodeId === nodeId && node.payloads('health').length > 0), {
    what: `${nodeId} online`,
  });
}

interface ListedTunnel {
  readonly id: string;
  readonly local_addr: string;
  readonly state: string;
}

async function portOfTunnel(node: ManagedNode): Promise<number> {
  const { data } = await node.command({ type: 'list_tunnels' });
  const [tunnel] = data as ListedTunnel[];
  return Number(tunnel?.local_addr.split(':').at(-1));
}

describe.each(await builtEngines())('a manager orders a relay over %s', (engineName) => {
  it('I4 to authorise, revoke and authorise anew, and live legs follow', async () => {
    await using manager = await TestManager.start();
    await using relay = await startManagedRelay({ manager, nodeId: 'relay', config: { quic: { engine: engineName } } });
    await using engine = await openEngine(engineName);
    const [address = ''] = relay.quicAddresses;
    const node = await nodeOf(manager, 'relay');
    const edge = async (name: string) => {
      const scripted = (await ScriptedEdge.connect(engine, address)).greet(name);
      await scripted.expect('hello_ack');
      return scripted;
    };

    const early = await edge('early');
    early.bind({ tunnelId: id, direction: 'ingress', secret: oldSecret });
    expect(await early.expect('tunnel_down')).toMatchObject({ reason: 'tunnel not authorised' });

    expect(await node.command(authorize(oldSecret))).toMatchObject({ success: true });
    const ingress = await edge('in');
    const egress = await edge('out');
    ingress.bind({ tunnelId: id, direction: 'ingress', secret: oldSecret });
    egress.bind({ tunnelId: id, direction: 'egress', secret: oldSecret });
    await egress.expect('tunnel_ready');
    // Identical tokens disturb nothing.
    expect(await node.command(authorize(oldSecret))).toMatchObject({ success: true });
    egress.sendDatagram(id, 'through');
    await until(() => ingress.datagrams.length === 1);

    expect(await node.command({ type: 'revoke_tunnel', tunnel_id: id })).toMatchObject({ success: true });
    expect(await ingress.expect('tunnel_down')).toMatchObject({ reason: 'tunnel revoked' });
    await egress.expectClosed();
    await manager.event('Tunnel closed: revoked');

    const refused = await edge('refused');
    refused.bind({ tunnelId: id, direction: 'ingress', secret: oldSecret });
    expect(await refused.expect('tunnel_down')).toMatchObject({ reason: 'tunnel revoked' });

    expect(await node.command(authorize(oldSecret))).toMatchObject({ success: true });
    const held = await edge('held');
    held.bind({ tunnelId: id, direction: 'ingress', secret: oldSecret });
    await held.expect('tunnel_waiting');
    expect(await node.command(authorize(newSecret))).toMatchObject({ success: true });
    await held.expectClosed();

    const pairedIn = await edge('in-2');
    const pairedOut = await edge('out-2');
    pairedIn.bind({ tunnelId: id, direction: 'ingress', secret: newSecret });
    pairedOut.bind({ tunnelId: id, direction: 'egress', secret: newSecret });
    await pairedOut.expect('tunnel_ready');
    pairedOut.sendDatagram(id, 'again');
    await until(() => pairedIn.datagrams.length === 1);
    expect(await node.command({ type: 'list_tunnels' })).toMatchObject({ data: [{ tunnel_id: id, status: 'active' }] });
    expect(await node.command({ type: 'list_authorized' })).toMatchObject({ data: [{ tunnel_id: id }] });

    expect(await node.command({ type: 'close_tunnel', tunnel_id: id })).toMatchObject({ success: true });
    expect(await pairedIn.expect('tunnel_down')).toMatchObject({ reason: 'tunnel closed by manager' });
    await pairedOut.expectClosed();
    expect(await node.command({ type: 'close_tunnel', tunnel_id: id })).toMatchObject({
      error: `Tunnel '${id}' not found`,
      error_code: 'not_found',
    });

    const guest = await edge('guest');
    expect(await node.command({ type: 'disconnect_edge', edge_id: 'guest' })).toMatchObject({ success: true });
    expect(await guest.expectClosed()).toMatchObject({ reason: 'disconnected by manager' });
    expect(JSON.stringify([manager.events, relay.log.lines])).not.toMatch(new RegExp(`${oldSecret}|${newSecret}`));
  });

  it('and people there see the name that the manager has for a tunnel', async () => {
    await using manager = await TestManager.start();
    const config = { quic: { engine: engineName }, api_addrs: ['127.0.0.1:0'] };
    await using relay = await startManagedRelay({ manager, nodeId: 'relay', config });
    await using engine = await openEngine(engineName);
    const node = await nodeOf(manager, 'relay');
    const named = { ...authorize(oldSecret), tunnel_name: 'camera 1' };
    expect(await node.command(named)).toMatchObject({ success: true });
    expect(await node.command({ ...named, tunnel_name: 7 })).toMatchObject({ success: true });
    expect(await node.command(named)).toMatchObject({ success: true });
    const edge = (await ScriptedEdge.connect(engine, relay.quicAddresses[0] ?? '')).greet('in');
    edge.bind({ tunnelId: id, direction: 'ingress', secret: oldSecret });
    await edge.expect('tunnel_waiting');
    const url = `http://${relay.apiAddresses[0] ?? ''}`;
    const [status, why] = await Promise.all([
      runAdit(['status', '--url', url]),
      runAdit(['why', 'camera 1', '--seconds', '0', '--url', url]),
    ]);
    expect(status.out).toContain('camera 1');
    expect(why.out).toContain(`tunnel ${id} (camera 1)\n`);
    const waiting = relay.log.lines.find(({ fields }) => fields['tunnel_id'] === id);
    expect(waiting?.fields).toMatchObject({ tunnel: 'camera 1' });
  });

  it('and two edges to carry a tunnel, to change it and to end it, with traffic while there is one', async () => {
    await using manager = await TestManager.start();
    const quic = { quic: { engine: engineName } };
    await using relay = await startManagedRelay({ manager, nodeId: 'relay', config: quic });
    await using near = await startManagedEdge({ manager, nodeId: 'near', config: quic });
    await using far = await startManagedEdge({ manager, nodeId: 'far', config: quic });
    const [relayAddr = ''] = relay.quicAddresses;
    const relayNode = await nodeOf(manager, 'relay');
    const [nearNode, farNode] = [await nodeOf(manager, 'near'), await nodeOf(manager, 'far')];
    await using source = await LocalUdpSocket.open();
    await using sink = await LocalUdpSocket.open();
    await using otherSink = await LocalUdpSocket.open();

    const common = {
      id,
      name: 'camera',
      protocol: 'udp',
      relay_addrs: [relayAddr],
      tunnel_encryption_key: sealVector.keyHex,
      tunnel_bind_secret: oldSecret,
      // Managers send what they know; newer keys are no reason to refuse.
      relay_tls_server_name: null,
    };
    const nearTunnel = { ...common, direction: 'egress', local_addr: '127.0.0.1:0' };
    const farTunnel = { ...common, direction: 'ingress', local_addr: sink.addr };
    expect(await relayNode.command(authorize(oldSecret))).toMatchObject({ success: true });
    for (const [node, tunnel] of [
      [nearNode, nearTunnel],
      [farNode, farTunnel],
    ] as const) {
      expect(await node.command({ type: 'create_tunnel', tunnel })).toMatchObject({ success: true });
      expect(await node.command({ type: 'create_tunnel', tunnel })).toMatchObject({ success: true });
    }
    await manager.event('Tunnel active (both sides bound)');
    const port = await portOfTunnel(nearNode);
    await until(() => {
      source.send(Buffer.from('first'), port);
      return sink.received.length > 0;
    });
    expect(await readJsonFile(near.configPath)).toMatchObject({ edge_id: 'near', tunnels: [{ id, name: 'camera' }] });

    const changed = { ...farTunnel, local_addr: otherSink.addr };
    expect(await farNode.command({ type: 'create_tunnel', tunnel: changed })).toMatchObject({ success: true });
    await until(() => {
      source.send(Buffer.from('second'), port);
      return otherSink.received.length > 0;
    });
    expect(await readJsonFile(far.configPath)).toMatchObject({ tunnels: [{ local_addr: otherSink.addr }] });
    nearNode.order({ type: 'get_config' });
    const shown = JSON.stringify((await nearNode.frame('config_response')).payload);
    expect(shown).toContain('"camera"');
    expect(shown).not.toMatch(/node_secret|tunnel_encryption_key|tunnel_bind_secret/);

    for (const node of [nearNode, farNode]) {
      expect(await node.command({ type: 'delete_tunnel', tunnel_id: id })).toMatchObject({ success: true });
      expect(await node.command({ type: 'list_tunnels' })).toMatchObject({ data: [] });
    }
    expect(await readJsonFile(near.configPath)).toMatchObject({ tunnels: [] });
    await until(async () => ((await relayNode.command({ type: 'list_tunnels' })).data as unknown[]).length === 0);
    const updates = manager.distinctEvents.filter((event) => event.payload.message === 'Configuration updated');
    // Created on two edges, changed on one, deleted on two; repeats of the same order change nothing.
    expect(updates).toHaveLength(5);
  });

  it.each(['interface', 'source', 'gateway'])(
    'and an edge refuses a tunnel with %s, by name, and keeps to what it has',
    async (key) => {
      await using manager = await TestManager.start();
      await using edge = await startManagedEdge({ manager, nodeId: 'near', config: { quic: { engine: engineName } } });
      const node = await nodeOf(manager, 'near');
      const common = { id, name: 'camera', protocol: 'udp', direction: 'egress', local_addr: '127.0.0.1:0' };
      const secrets = { tunnel_encryption_key: sealVector.keyHex, tunnel_bind_secret: oldSecret };
      const tunnel = { ...common, ...secrets, relay_addrs: ['127.0.0.1:9'] };
      expect(await node.command({ type: 'create_tunnel', tunnel })).toMatchObject({ success: true });
      const pinned = await node.command({ type: 'create_tunnel', tunnel: { ...tunnel, name: 'other', [key]: 'eth1' } });
      expect(pinned).toMatchObject({ success: false, error: expect.stringContaining(key) as string });
      expect(await readJsonFile(edge.configPath)).toMatchObject({ tunnels: [{ name: 'camera' }] });
    },
  );
});
