import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realConfigFileSystem } from '../../../src/config/config-file.ts';
import { ScaledClock } from '../../support/fakes/scaled-clock.ts';
import { TestManager } from '../../support/peers/test-manager.ts';
import { TestNodeLink, type TestNodeLinkOptions } from '../../support/programs/test-node-link.ts';
import { until } from '../../support/until.ts';

const known = { node_id: 'n', node_secret: 's' };

async function startManager(): Promise<TestManager> {
  const manager = await TestManager.start();
  manager.secrets.set('n', new Set(['s']));
  return manager;
}

function startNode(manager: TestManager, options: Partial<TestNodeLinkOptions> = {}): Promise<TestNodeLink> {
  return TestNodeLink.start({ manager: manager.configFor(known), clock: new ScaledClock(20), ...options });
}

const reasons = (node: TestNodeLink) =>
  node.logger.lines.filter((line) => line.message === 'not connected to manager').map((line) => line.fields['reason']);

describe('a node whose manager', () => {
  it('never answers the upgrade gives up after 10 s and connects later', async () => {
    await using manager = await startManager();
    manager.upgradeAnswer = 'silence';
    await using node = await startNode(manager);
    await until(() => reasons(node).includes('no connection within 10 s'));
    manager.upgradeAnswer = 'normal';
    await manager.nodeOnline();
    expect(node.linkEvents).toEqual([{ kind: 'manager-connected', url: manager.url }]);
  });

  it('refuses the upgrade says so in its log', async () => {
    await using manager = await startManager();
    manager.upgradeAnswer = 'refuse';
    await using node = await startNode(manager);
    await until(() => reasons(node).includes('Unexpected server response: 503'));
  });

  it('never answers auth gives up after 10 s', async () => {
    await using manager = await startManager();
    manager.authAnswer = 'silence';
    await using node = await startNode(manager);
    await until(() => reasons(node).includes('no answer to auth within 10 s'));
  });

  it.each([
    ['closes instead of an answer', 'drop', /closed/],
    ['answers garbage', { frame: '}{' }, /unexpected answer to auth: not a JSON object/],
    ['answers something else', { frame: '{"type":"health"}' }, /unexpected answer to auth/],
  ] as const)('%s tries again', async (_name, authAnswer, reason) => {
    await using manager = await startManager();
    manager.authAnswer = authAnswer;
    await using node = await startNode(manager);
    await until(() => reasons(node).some((text) => reason.test(String(text))));
    manager.authAnswer = 'normal';
    await manager.nodeOnline();
    expect(node.linkEvents).toEqual([{ kind: 'manager-connected', url: manager.url }]);
  });

  it('refuses it raises one critical event, however often, and waits longer each time', async () => {
    await using manager = await startManager();
    manager.secrets.clear();
    await using node = await startNode(manager, { clock: new ScaledClock(100) });
    await until(() => manager.auths.length >= 4);
    manager.secrets.set('n', new Set(['s']));
    await manager.nodeOnline();
    const event = await manager.event('Manager authentication failed: Invalid node secret');
    expect(event.payload).toMatchObject({ severity: 'critical', category: 'manager', details: { url: manager.url } });
    expect(node.linkEvents.filter((linkEvent) => linkEvent.kind === 'manager-auth-failed')).toHaveLength(1);
    const delays = node.logger.lines.flatMap((line) => line.fields['retry_in_ms'] ?? []);
    expect(delays.slice(0, 4)).toEqual([2_500, 5_000, 10_000, 20_000]);
  });

  it('sends a frame over 5 MiB loses the connection and nothing else', async () => {
    await using manager = await startManager();
    await using node = await startNode(manager);
    const online = await manager.nodeOnline();
    online.sendText(JSON.stringify({ type: 'command', payload: { pad: 'x'.repeat(6 * 1024 * 1024) } }));
    await manager.nodeOnline(1);
    expect(node.linkEvents[1]).toMatchObject({
      kind: 'manager-lost',
      error: expect.stringMatching(/payload/i) as string,
    });
  });

  it('sends binary loses the connection', async () => {
    await using manager = await startManager();
    await using node = await startNode(manager);
    (await manager.nodeOnline()).sendBinary(new Uint8Array(10));
    await manager.nodeOnline(1);
    expect(node.linkEvents[1]).toMatchObject({ kind: 'manager-lost', error: 'binary frame' });
  });

  it('sends nonsense keeps the connection', async () => {
    await using manager = await startManager();
    await using node = await startNode(manager);
    const online = await manager.nodeOnline();
    for (const text of ['', '{', 'null', '[1]', '{"type":"nonsense","payload":{}}', '{"payload":1}'])
      online.sendText(text);
    expect(await online.command({ type: 'still_there' })).toMatchObject({ success: true });
    expect(node.linkEvents).toHaveLength(1);
  });

  it('sends 10 000 commands at once answers each once, in order, and keeps reporting', async () => {
    await using manager = await startManager();
    await using node = await startNode(manager, { clock: new ScaledClock(1) });
    const online = await manager.nodeOnline();
    const ids = Array.from({ length: 10_000 }, (_, index) => online.order({ type: 'list_edges' }, `c-${index}`));
    await until(() => online.acks.length === 10_000);
    expect(online.acks.map((ack) => ack.command_id)).toEqual(ids);
    expect(node.link.status.connectedUrl).toBe(manager.url);
  });

  it('I7 sends a secret of 1 MiB refuses it, and shows it nowhere', async () => {
    await using manager = await startManager();
    await using node = await startNode(manager);
    const online = await manager.nodeOnline();
    const secret = 'S3CRET'.repeat(180_000);
    const ack = await online.command({ type: 'rotate_secret', new_secret: secret });
    expect(ack).toMatchObject({ success: false, error: 'new_secret is longer than 4096 characters' });
    expect(JSON.stringify([node.logger.lines, manager.events, await node.config()])).not.toContain('S3CRET');
  });

  it('hangs is left after 45 s, and the next one gets every event', async () => {
    await using manager = await startManager();
    await using node = await startNode(manager);
    const first = await manager.nodeOnline();
    first.stall();
    for (let index = 0; index < 20; index++) node.raise(`event ${index}`);
    const second = await manager.nodeOnline(1);
    await until(() => second.events.some((event) => event.payload.message === 'event 19'));
    expect(node.linkEvents[1]).toMatchObject({ kind: 'manager-lost', error: 'manager was silent for 45 s' });
  });

  it('never answers pings is left, and its events come again with the same ids', async () => {
    await using manager = await startManager();
    manager.autoPong = false;
    await using node = await startNode(manager);
    const first = await manager.nodeOnline();
    node.raise('important');
    await until(() => first.events.some((event) => event.payload.message === 'important'));
    manager.autoPong = true;
    const second = await manager.nodeOnline(1);
    await until(() => second.events.some((event) => event.payload.message === 'important'));
    const ids = manager.events.flatMap((event) =>
      event.payload.message === 'important' ? [event.payload.details?.['event_id']] : [],
    );
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it('is away is tried at all its addresses in turn', async () => {
    await using first = await startManager();
    await using second = await TestManager.start({ certificate: first.certificate });
    second.secrets.set('n', new Set(['s']));
    const config = { ...first.configFor(known), url: undefined, urls: [first.url, second.url] };
    await using node = await startNode(first, { manager: config });
    await first.nodeOnline();
    first.dropAll();
    await second.nodeOnline();
    second.dropAll();
    await first.nodeOnline(1);
    expect(node.linkEvents.map((event) => event.kind)).toEqual([
      'manager-connected',
      'manager-lost',
      'manager-connected',
      'manager-lost',
      'manager-connected',
    ]);
  });
});

describe('a node whose config cannot be written', () => {
  const readOnly = {
    ...realConfigFileSystem,
    rename: () => Promise.reject(new Error('read-only file system')),
  };

  it('does not spend its token, and reports why once', async () => {
    await using manager = await TestManager.start();
    manager.tokens.add('tok');
    await using node = await startNode(manager, {
      manager: manager.configFor({ registration_token: 'tok' }),
      configFileSystem: readOnly,
    });
    await until(() => reasons(node).length >= 3);
    expect(manager.connections).toEqual([]);
    expect(manager.tokens.has('tok')).toBe(true);
    expect(node.linkEvents).toMatchObject([
      { kind: 'credential-persistence-failed', error: expect.stringContaining('read-only file system') as string },
    ]);
    expect(node.link.status.problems).toHaveLength(1);
  });

  it('keeps its credentials in a file of their own when the config names one', async () => {
    await using manager = await TestManager.start();
    manager.tokens.add('tok');
    const options = { manager: manager.configFor({ registration_token: 'tok' }), clock: new ScaledClock(20) };
    await using first = await TestNodeLink.create(options);
    const credentialsPath = join(first.directory, 'credentials.json');
    const configPath = join(first.directory, 'config.json');
    const before = await readFile(configPath, 'utf8');
    await chmod(configPath, 0o400);
    await using second = await TestNodeLink.start({
      ...options,
      directory: first.directory,
      keepConfig: true,
      credentialsPath,
    });
    const online = await manager.nodeOnline();
    manager.secrets.get('n-1')?.add('new');
    expect(await online.command({ type: 'rotate_secret', new_secret: 'new' })).toMatchObject({ success: true });
    expect(JSON.parse(await readFile(credentialsPath, 'utf8'))).toEqual({
      node_id: 'n-1',
      node_secret: 'new',
      previous_node_secrets: ['registered-secret-1'],
    });
    expect(await readFile(configPath, 'utf8')).toBe(before);
    manager.dropAll();
    await manager.nodeOnline(1);
    expect(manager.auths.at(-1)).toMatchObject({ node_id: 'n-1', node_secret: 'new' });
    expect(second.link.status.problems).toEqual([]);
  });
});

describe('rotation over a real link', () => {
  it.each([
    ['only the newest secret', 's2'],
    ['only a middle secret', 's1'],
    ['only the first secret', 's'],
  ])('ends with a manager that accepts %s', async (_name, accepted) => {
    await using manager = await startManager();
    await using node = await startNode(manager);
    const online = await manager.nodeOnline();
    for (const secret of ['s1', 's2']) {
      expect(await online.command({ type: 'rotate_secret', new_secret: secret })).toMatchObject({ success: true });
    }
    expect(online.isOpen).toBe(true);
    await until(
      () => online.events.filter((event) => event.payload.message === 'Secret rotated successfully').length === 2,
    );
    manager.secrets.set('n', new Set([accepted]));
    manager.dropAll();
    await manager.nodeOnline(1);
    await until(async () => (await node.config()).manager['previous_node_secrets'] === undefined);
    expect((await node.config()).manager).toMatchObject({ node_id: 'n', node_secret: accepted });
    expect(node.linkEvents.some((event) => event.kind === 'manager-auth-failed')).toBe(false);
  });
});
