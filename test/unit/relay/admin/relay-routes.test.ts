import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAdminApp } from '../../../../src/admin/admin-app.ts';
import { programFactsSchema } from '../../../../src/admin/program-facts.ts';
import { relayRoutes } from '../../../../src/relay/admin/relay-routes.ts';
import {
  edgeSchema,
  healthSchema,
  statsSchema,
  tunnelFactsSchema,
  tunnelSchema,
  tunnelsSchema,
} from '../../../../src/relay/admin/relay-schemas.ts';
import { RecordingLogger } from '../../../support/fakes/recording-logger.ts';
import { SampleRelay, sampleTunnel, tunnelNumber } from '../../../support/samples/sample-relay.ts';

const token = 'an api token of at least 32 characters'.replaceAll(' ', '-');
const id = tunnelNumber(0xabc);
const path = `/api/v1/tunnels/${id}`;

async function serve(options: { readonly apiToken?: string | null; readonly source?: SampleRelay } = {}) {
  const { apiToken = null, source = new SampleRelay([[id, sampleTunnel(id)]]) } = options;
  const logger = new RecordingLogger();
  const app = await createAdminApp(
    { routes: relayRoutes(source), metrics: async () => 'adit_relay_edges 2\n', logger },
    { title: 'Adit relay', apiToken },
  );
  const ask = async (method: 'GET' | 'DELETE' | 'POST' | 'HEAD', url: string, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    const { statusCode, body, headers: answered } = await app.inject({ method, url, headers });
    return { statusCode, json: (): unknown => JSON.parse(body), body, headers: answered };
  };
  return { app, ask, logger, source };
}

describe('the REST API of a relay', () => {
  it('answers each list and object in its schema', async () => {
    const { ask } = await serve();
    const strict = {
      '/health': healthSchema,
      '/api/v1/why': programFactsSchema.strict(),
      '/api/v1/tunnels': z.strictObject({ tunnels: z.array(tunnelSchema.strict()).length(1) }),
      '/api/v1/edges': z.strictObject({ edges: z.array(edgeSchema.strict()).length(1) }),
      '/api/v1/stats': statsSchema.strict(),
      [path]: tunnelSchema.strict(),
      [`${path}/why`]: tunnelFactsSchema.strict(),
    };
    for (const [url, schema] of Object.entries(strict)) {
      const answer = await ask('GET', url);
      expect({ url, status: answer.statusCode }).toEqual({ url, status: 200 });
      expect(schema.safeParse(answer.json()).error).toBeUndefined();
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it('T4 shows the path of each leg', async () => {
    const { ask } = await serve();
    const [tunnel] = tunnelsSchema.parse((await ask('GET', '/api/v1/tunnels')).json()).tunnels;
    expect(tunnel?.egress.leg?.path).toMatchObject({
      rtt_ms: 21.5,
      packets_lost: 7,
      congestion_window_bytes: 14_720,
      bytes_in_flight: 1200,
      queued_datagram_bytes: 4128,
      path_mtu: 1452,
    });
  });

  it('T3 says 503 when a restart is due or no tunnel would be accepted, and why', async () => {
    const source = new SampleRelay();
    const { ask } = await serve({ source });
    expect((await ask('GET', '/ready')).json()).toEqual({ ready: true, reasons: [] });
    source.reasons = ['udp socket 0.0.0.0:4433 failed'];
    expect((await ask('GET', '/health')).statusCode).toBe(200);
    source.alive = false;
    const health = await ask('GET', '/health');
    expect(health.statusCode).toBe(503);
    expect(health.json()).toMatchObject({ status: 'degraded', reasons: ['udp socket 0.0.0.0:4433 failed'] });
    source.notReady = ['shutting down'];
    const ready = await ask('GET', '/ready');
    expect(ready.statusCode).toBe(503);
    expect(ready.json()).toEqual({ ready: false, reasons: ['shutting down'] });
  });

  it('deletes a tunnel once, and only for a bearer of the configured token', async () => {
    const { ask, source } = await serve({ apiToken: token });
    expect((await ask('DELETE', path)).statusCode).toBe(401);
    expect(source.held.size).toBe(1);
    const deleted = await ask(
      'DELETE',
      path.toUpperCase().replace('/API/V1/TUNNELS', '/api/v1/tunnels'),
      `Bearer ${token}`,
    );
    expect([deleted.statusCode, deleted.json()]).toEqual([
      200,
      { deleted: true, tunnel_id: id, peers_notified: 2, revoked: true },
    ]);
    const again = await ask('DELETE', path, `bearer ${token}`);
    expect(again.statusCode).toBe(404);
    expect(again.json()).toEqual({ error: `Tunnel '${id}' not found`, error_code: 'not_found' });
  });

  it('forbids deleting while no token is configured', async () => {
    const { ask, source } = await serve();
    const answer = await ask('DELETE', path, 'Bearer anything');
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ error_code: 'api_token_not_configured' });
    expect(source.held.size).toBe(1);
  });

  it.each([
    '/metrics',
    '/api/v1/tunnels',
    '/api/v1/edges',
    '/api/v1/stats',
    '/api/v1/why',
    path,
    `${path}/why`,
    '/api/v1/openapi.json',
  ])('guards %s with the token', async (url) => {
    const { ask } = await serve({ apiToken: token });
    for (const wrong of [undefined, 'Bearer', `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(1)}`]) {
      const answer = await ask('GET', url, wrong);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.json()).toMatchObject({ error_code: 'unauthorized' });
    }
    expect((await ask('GET', url, `Bearer ${token}`)).statusCode).toBe(200);
  });

  it('leaves /health and /ready open', async () => {
    const { ask } = await serve({ apiToken: token });
    expect((await ask('GET', '/health')).statusCode).toBe(200);
    expect((await ask('GET', '/ready')).statusCode).toBe(200);
  });

  it('refuses ids that are no UUID, unknown tunnels, unknown paths and other methods', async () => {
    const { ask } = await serve();
    for (const text of ['nonsense', '%zz', 'x'.repeat(10_000)]) {
      expect((await ask('GET', `/api/v1/tunnels/${text}`)).statusCode).toBe(400);
    }
    expect((await ask('GET', '/api/v1/tunnels/nonsense')).json()).toEqual({
      error: 'Invalid UUID',
      error_code: 'invalid_uuid',
    });
    expect((await ask('GET', `/api/v1/tunnels/${'0'.repeat(32)}`)).statusCode).toBe(404);
    expect((await ask('GET', '/api/v2/tunnels')).json()).toEqual({ error: 'no such path', error_code: 'not_found' });
    const post = await ask('POST', '/api/v1/tunnels');
    expect([post.statusCode, post.headers.allow]).toEqual([405, 'HEAD, GET']);
    expect((await ask('POST', path)).headers.allow).toBe('HEAD, GET, DELETE');
  });

  it('says at its root where to look, without a token', async () => {
    const { ask } = await serve({ apiToken: token });
    const answer = await ask('GET', '/');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ health: '/health', api: '/api/v1/openapi.json' });
    expect((await ask('POST', '/')).statusCode).toBe(405);
  });

  it('gives metrics as Prometheus reads them', async () => {
    const { ask } = await serve();
    const answer = await ask('GET', '/metrics');
    expect(answer.body).toBe('adit_relay_edges 2\n');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('hides its own failures from clients and logs them', async () => {
    const source = new SampleRelay();
    source.stats = () => {
      throw new Error('the cause');
    };
    const { ask, logger } = await serve({ source });
    const answer = await ask('GET', '/api/v1/stats');
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { error: 'internal error', error_code: 'internal_error' },
    ]);
    expect(logger.messages('error')).toEqual(['a REST request failed']);
  });

  it('documents every path, its answers and its guard', async () => {
    const { ask } = await serve({ apiToken: token });
    const document = z
      .object({
        openapi: z.literal('3.1.0'),
        paths: z.record(z.string(), z.record(z.string(), z.unknown())),
        components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
      })
      .parse((await ask('GET', '/api/v1/openapi.json', `Bearer ${token}`)).json());
    expect(Object.keys(document.paths).toSorted()).toEqual([
      '/api/v1/authorized',
      '/api/v1/edges',
      '/api/v1/refusals',
      '/api/v1/stats',
      '/api/v1/tunnels',
      '/api/v1/tunnels/{id}',
      '/api/v1/tunnels/{id}/revocation',
      '/api/v1/tunnels/{id}/why',
      '/api/v1/why',
      '/health',
      '/metrics',
      '/ready',
    ]);
    const named = (name: string): object => ({
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
    });
    expect(document.paths['/api/v1/tunnels']).toMatchObject({
      get: { tags: ['tunnels'], responses: { 200: named('Tunnels'), 401: named('Refusal') } },
    });
    expect(document.paths['/health']).toMatchObject({
      get: { tags: ['state'], responses: { 200: named('Health'), 503: named('Health') } },
    });
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Health', 'Ready', 'Tunnels', 'TunnelsIdWhy', 'Edges', 'Refusals', 'Refusal']),
    );
    expect(document.paths['/api/v1/tunnels/{id}']).toMatchObject({
      get: { security: [{ bearer: [] }], responses: { 200: {}, 400: {}, 401: {}, 404: {} } },
      delete: { responses: { 200: {}, 400: {}, 401: {}, 404: {} } },
    });
  });
});
