import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { secretsEqual } from '../../protocol/tunnel/bind-token.ts';
import type { ApiContext } from '../extension-points.ts';
import type { managerHealthSchema } from '../views/health.ts';
import { Refusal } from './refusal.ts';

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/** Routes for load balancers and monitoring, outside `/api/v1`. */
export function serveState(app: FastifyInstance, { health, metrics, config, softwareVersion }: ApiContext): void {
  app.get('/health', (_request, reply) => {
    const body: z.input<typeof managerHealthSchema> = { status: 'ok', program: 'manager', version: softwareVersion };
    return reply.type('application/json').send(JSON.stringify(body));
  });
  app.get('/ready', (_request, reply) => {
    const reasons = health.notReady();
    const ready = reasons.length === 0;
    return reply
      .code(ready ? 200 : 503)
      .type('application/json')
      .send(JSON.stringify({ ready, reasons }));
  });
  app.get('/metrics', async (request, reply) => {
    const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    const { metrics_token: token } = config;
    const allowed = token === null ? loopback.test(request.ip) : given !== undefined && secretsEqual(given, token);
    if (!allowed) throw new Refusal(401, 'unauthorized', 'The metrics need the metrics_token of the config.');
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics());
  });
}
