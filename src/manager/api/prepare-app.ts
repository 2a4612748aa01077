import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { keptOnceMade } from '../../lib/kept-once-made.ts';
import type { Logger } from '../../lib/logger.ts';
import type { SignIn } from '../access/sign-in.ts';
import { securityHeaders } from '../web/security-headers.ts';
import type { ApiRoute } from './api-route.ts';
import { identify, requireAccess, sessionCookie } from './credentials.ts';
import { Refusal } from './refusal.ts';
import { sendRefusal } from './serve-routes.ts';

/** Of one address in a minute: several operators with open pages behind one address stay far below. */
const requestsPerMinute = 6_000;

/** Plugins and hooks that all routes share. */
export async function prepareApp(app: FastifyInstance, logger: Logger): Promise<void> {
  app.setErrorHandler((error, request, reply) => sendRefusal(error, request, reply, logger));
  onlyJson(app);
  await app.register(cookie);
  await app.register(helmet, securityHeaders);
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      new Refusal(429, 'too_many_requests', `Too many requests. Try again in ${after}.`),
  });
}

/** A form of another site can send text or form data without asking; JSON it cannot. An empty body is `{}`. */
function onlyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'ignore');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else void parse(request, body.toString(), done);
  });
}

/** The API's own OpenAPI document, made when it is first asked for. */
export function serveDocument(
  app: FastifyInstance,
  routes: readonly ApiRoute[],
  { signIn, softwareVersion }: { readonly signIn: SignIn; readonly softwareVersion: string },
): void {
  const document = keptOnceMade(() => documentText(routes, softwareVersion));
  app.get('/api/v1/openapi.json', async (request, reply) => {
    const credentials = { authorization: request.headers.authorization, cookie: request.cookies[sessionCookie] };
    requireAccess('any', await identify(signIn, credentials));
    return reply.type('application/json').send(await document());
  });
}

async function documentText(routes: readonly ApiRoute[], softwareVersion: string): Promise<string> {
  const { openApiDocument } = await import('./openapi-document.ts');
  return JSON.stringify(await openApiDocument(routes, softwareVersion));
}
