import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ScaledClock } from '../../support/fakes/scaled-clock.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { TestNodeLink } from '../../support/programs/test-node-link.ts';
import { until } from '../../support/until.ts';

const fast = () => new ScaledClock(20);

describe('a node that registers', () => {
  it('stores its credentials before anything else, forgets the token and stays on the socket', async () => {
    await using manager = await TestManager.start();
    manager.tokens.add('tok');
    await using node = await TestNodeLink.start({ manager: manager.configFor({ registration_token: 'tok' }) });
    const online = await manager.nodeOnline();
    await online.frame('health');
    expect(manager.auths).toEqual([{ registration_token: 'tok', software_version: '1.2.3', protocol_version: 1 }]);
    const config = await node.config();
    expect(config.manager).toMatchObject({ node_id: 'n-1', node_secret: 'registered-secret-1' });
    expect(config.manager).not.toHaveProperty('registration_token');
    expect(config['quic_addrs']).toEqual(['127.0.0.1:0']);
    expect(manager.connections).toHaveLength(1);
    expect((await manager.event('Connected to manager')).payload).toMatchObject({
      severity: 'info',
      category: 'manager',
      details: { url: manager.url },
    });
  });

  it('comes back with id and secret', async () => {
    await using manager = await TestManager.start();
    manager.tokens.add('tok');
    const identity = manager.configFor({ registration_token: 'tok' });
    await using node = await TestNodeLink.start({ manager: identity, clock: fast() });
    await manager.nodeOnline();
    await until(() => node.link.status.connectedUrl !== null);
    manager.dropAll();
    await manager.nodeOnline(1);
    expect(manager.auths[1]).toMatchObject({ node_id: 'n-1', node_secret: 'registered-secret-1' });
    const lost = await manager.event(/^Manager connection lost, reconnecting/);
    expect(lost.payload).toMatchObject({ severity: 'warning', category: 'manager', details: { url: manager.url } });
  });

  it('keeps its journal and config private', async () => {
    await using manager = await TestManager.start();
    manager.tokens.add('tok');
    await using node = await TestNodeLink.start({ manager: manager.configFor({ registration_token: 'tok' }) });
    await manager.nodeOnline();
    const path = join(node.directory, 'events', 'events-000000000000001.log');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).not.toContain('registered-secret-1');
    expect(JSON.stringify(node.logger.lines)).not.toContain('registered-secret-1');
  });
});

describe('a node that is connected', () => {
  it('reports health at once and every 15 s, stats every second', async () => {
    await using manager = await TestManager.start();
    manager.secrets.set('n', new Set(['s']));
    const config = manager.configFor({ node_id: 'n', node_secret: 's' });
    await using node = await TestNodeLink.start({ manager: config, clock: fast() });
    const online = await manager.nodeOnline();
    await until(() => online.payloads('health').length >= 3);
    expect(online.frames[0]?.type).toBe('auth');
    expect(online.payloads('stats').length).toBeGreaterThan(15);
    expect(online.pings).toBeGreaterThan(0);
    for (const frame of online.frames) expect(Object.keys(frame)).toEqual(['type', 'timestamp', 'payload']);
    expect(node.link.status).toEqual({ connectedUrl: manager.url, downMs: 0, lastEnd: null, problems: [] });
  });

  it('answers commands once and in order, and pings with a pong', async () => {
    await using manager = await TestManager.start();
    manager.secrets.set('n', new Set(['s']));
    await using node = await TestNodeLink.start({ manager: manager.configFor({ node_id: 'n', node_secret: 's' }) });
    const online = await manager.nodeOnline();
    const ids = Array.from({ length: 10 }, (_, index) => online.order({ type: `list_${index}` }));
    online.sendText('{"type":"ping"}');
    await online.frame('pong');
    await until(() => online.acks.length === 10);
    expect(online.acks.map((ack) => ack.command_id)).toEqual(ids);
    expect(online.acks[3]).toMatchObject({ success: true, data: { echo: 'list_3' } });
    expect(node.linkEvents).toEqual([{ kind: 'manager-connected', url: manager.url }]);
  });

  it('I7 shows its config without secrets and with its current id', async () => {
    await using manager = await TestManager.start();
    manager.tokens.add('tok');
    await using node = await TestNodeLink.start({ manager: manager.configFor({ registration_token: 'tok' }) });
    const online = await manager.nodeOnline();
    online.order({ type: 'get_config' });
    const { payload } = await online.frame('config_response');
    expect(payload).toMatchObject({
      manager: { node_id: 'n-1', node_secret: '***REDACTED***' },
      api_token: '***REDACTED***',
      quic_addrs: ['127.0.0.1:0'],
    });
    expect(online.acks).toEqual([]);
    expect((await node.config())['api_token']).toBe('x'.repeat(32));
  });
});
