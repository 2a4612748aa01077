import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../lib/logger.ts';
import { withNamedSchemas } from '../../lib/named-schemas.ts';
import type { SignIn } from '../access/sign-in.ts';
import { securityHeaders } from '../web/security-headers.ts';
import { identify, requireAccess, sessionCookie } from './credentials.ts';
import { Refusal } from './refusal.ts';
import { sendRefusal } from './serve-routes.ts';

export interface PrepareSettings {
  readonly logger: Logger;
  readonly softwareVersion: string;
}

/** Of one address in a minute: several operators with open pages behind one address stay far below. */
const requestsPerMinute = 6_000;

/** Plugins and hooks that all routes share. */
export async function prepareApp(app: FastifyInstance, { logger, softwareVersion }: PrepareSettings): Promise<void> {
  // Bodies and queries are checked by their zod schemas; the JSON schemas of the routes are for the document.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (body) => JSON.stringify(body));
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
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Adit manager', version: softwareVersion },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: sessionCookie },
        },
      },
    },
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

/** The API's own OpenAPI document. */
export function serveDocument(app: FastifyInstance, signIn: SignIn): void {
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, async (request, reply) => {
    const credentials = { authorization: request.headers.authorization, cookie: request.cookies[sessionCookie] };
    requireAccess('any', await identify(signIn, credentials));
    return reply.type('application/json').send(JSON.stringify(withNamedSchemas(app.swagger())));
  });
}
