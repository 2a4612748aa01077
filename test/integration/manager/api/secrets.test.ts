import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminPassword, ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';

describe('secrets stay where they belong', () => {
  let bed: ApiBed;
  let cookie: string;
  const logger = new RecordingLogger();

  beforeAll(async () => {
    bed = await ApiBed.start({ logger, config: { metrics_token: 'canary-metrics-token' } });
    cookie = await bed.signUp();
  });

  afterAll(async () => bed[Symbol.asyncDispose]());

  test('MG3 no canary is in lists, config, commands, settings, audit, metrics, log, database or page', async () => {
    const send = (method: string, path: string, body?: unknown) =>
      bed.send(method, path, { cookie, headers: sameOrigin, body });
    const token = String((await send('POST', 'api-tokens', { name: 'ci', role: 'admin' })).body['token']);
    const hook = await send('POST', 'webhooks', {
      name: 'pager',
      url: 'https://hooks.example/',
      triggers: ['node_offline'],
    });
    await send('POST', 'nodes', { name: 'new-node' });
    await bed.signIn('alice', 'canary-wrong-password');
    const node = (await bed.fleet.nodes.page({ limit: 1 })).items[0]?.id ?? '';
    const answers = await Promise.all(
      [
        ...[
          'nodes',
          `nodes/${node}`,
          `nodes/${node}/config`,
          `nodes/${node}/stats`,
          'tunnels',
          'flows',
          'drift',
          'events',
        ],
        ...[
          'settings',
          'audit?limit=500',
          'users',
          'api-tokens',
          'webhooks',
          'instances',
          'openapi.json',
          '/page.js',
          '/',
        ],
      ].map((path) => send('GET', path)),
    );
    const command = await send('POST', `nodes/${node}/command`, { action: { type: 'get_config' } });
    expect(command.status).toBe(200);
    const rows = await Promise.all([
      ...(['users', 'user_sessions', 'api_tokens', 'webhooks', 'audit', 'settings'] as const).map((table) =>
        bed.database.db.selectFrom(table).selectAll().execute(),
      ),
    ]);
    const everything =
      [...answers, command].map(({ text }) => text).join('\n') + JSON.stringify(rows) + JSON.stringify(logger.lines);
    const canaries = [
      ...['canary-node-secret', 'canary-registration-token', 'canary-wrong-password', 'canary-metrics-token'],
      ...['canary-encryption-key', adminPassword, token, String(hook.body['secret']), cookie.split('=')[1] ?? ''],
      bed.firstAdmin?.split('#')[1] ?? '',
    ];
    for (const canary of canaries) {
      expect(canary.length).toBeGreaterThan(10);
      expect([canary, everything.includes(canary)]).toEqual([canary, false]);
    }
  });
});
