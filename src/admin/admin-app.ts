import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { errorMessage } from '../lib/app-error.ts';
import { keptOnceMade } from '../lib/kept-once-made.ts';
import type { Logger } from '../lib/logger.ts';
import { nodeHttp } from '../lib/node-http.ts';
import { noSchemaCompilers } from '../lib/no-schema-compilers.ts';
import { decideAccess } from './bearer-token.ts';
import type { OwnRoutes } from './own-routes.ts';
import { routerPath, type Route } from './route.ts';

export interface AdminAppSettings {
  /** Stands in the API's document. */
  readonly title: string;
  /** Required on every route that is not public. Null: reading is open, and changes are refused. */
  readonly apiToken: string | null;
}

export interface AdminAppDependencies {
  readonly routes: readonly Route[];
  readonly own?: OwnRoutes;
  /** The metrics as Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly logger: Logger;
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8';
const requestTimeoutMs = 10_000;
const document = '/api/v1/openapi.json';

/** The REST API as a request listener; opens no socket. */
export async function createAdminApp(
  dependencies: AdminAppDependencies,
  settings: AdminAppSettings,
): Promise<FastifyInstance> {
  const app = fastify({
    requestTimeout: requestTimeoutMs,
    // What is too long is no UUID either, and Node limits the whole.
    routerOptions: { maxParamLength: nodeHttp.maxHeaderSize },
    exposeHeadRoutes: true,
    schemaController: noSchemaCompilers,
    // A path that cannot be decoded.
    frameworkErrors(error, request, reply) {
      answerError(dependencies.logger, error, request, reply);
    },
  });
  // No method takes a body here, so none is read, whatever its type.
  for (const method of nodeHttp.METHODS) app.addHttpMethod(method, { overrideExisting: true });
  app.setErrorHandler((error, request, reply) => answerError(dependencies.logger, error, request, reply));
  const known = knownPaths(dependencies.routes);
  app.setNotFoundHandler((request, reply) => refuseUnknown(known, request, reply));
  for (const route of dependencies.routes) addRoute(app, route, settings.apiToken);
  dependencies.own?.add(app);
  addTextRoutes(app, dependencies, settings);
  await app.ready();
  return app;
}

function addRoute(app: FastifyInstance, route: Route, apiToken: string | null): void {
  app.route<{ Params: Readonly<Record<string, string>> }>({
    method: route.method,
    url: routerPath(route),
    onRequest: guard(route.access, apiToken),
    async handler(request, reply) {
      const answer = await route.handle(Object.values(request.params)[0] ?? '');
      if ('body' in answer) return reply.code(answer.status).send(answer.body);
      return refuse(reply, answer.status, answer.error, answer.errorCode);
    },
  });
}

/** Routes without JSON of ours: Prometheus text and the API's own document. */
function addTextRoutes(
  app: FastifyInstance,
  { routes, own, metrics }: AdminAppDependencies,
  { title, apiToken }: AdminAppSettings,
): void {
  const onRequest = guard('token', apiToken);
  const openApi = keptOnceMade(async () => {
    const { openApiDocument } = await import('./openapi-document.ts');
    return openApiDocument({ routes, own }, { title, tokenConfigured: apiToken !== null });
  });
  app.route({
    method: 'GET',
    url: '/metrics',
    onRequest,
    handler: async (_request, reply) =>
      reply
        .type(metricsType)
        .serializer(String)
        .send(await metrics()),
  });
  app.route({
    method: 'GET',
    url: document,
    onRequest,
    handler: async (_request, reply) => reply.send(await openApi()),
  });
  // For a person who opens the address in a browser: where to look. It needs no token.
  app.route({
    method: 'GET',
    url: '/',
    handler: (_request, reply) =>
      reply.send({ title, health: '/health', ready: '/ready', metrics: '/metrics', api: document }),
  });
}

interface KnownPath {
  readonly pattern: RegExp;
  readonly allow: string;
}

function knownPaths(routes: readonly Route[]): readonly KnownPath[] {
  const methods = new Map<string, string[]>([
    ['/metrics', ['GET']],
    [document, ['GET']],
    ['/', ['GET']],
  ]);
  for (const { path, method } of routes) methods.set(path, [...(methods.get(path) ?? []), method]);
  return [...methods].map(([path, allowed]) => ({
    pattern: new RegExp(`^${RegExp.escape(path).replaceAll(/\\\{\w+\\\}/g, '[^/]*')}$`),
    allow: (allowed.includes('GET') ? ['HEAD', ...allowed] : allowed).join(', '),
  }));
}

/** Existing paths return 405 for other methods, with the allowed ones. */
function refuseUnknown(known: readonly KnownPath[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '';
  const there = known.find(({ pattern }) => pattern.test(path));
  if (there === undefined) return refuse(reply, 404, 'no such path', 'not_found');
  return refuse(reply.header('allow', there.allow), 405, 'method not allowed', 'method_not_allowed');
}

function guard(access: Route['access'], apiToken: string | null) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const decision = decideAccess(access, apiToken, request.headers.authorization);
    if (decision === 'allowed') done();
    else if (decision === 'token-not-configured') {
      refuse(reply, 403, 'set api_token in the configuration to allow this', 'api_token_not_configured');
    } else {
      refuse(reply.header('www-authenticate', 'Bearer'), 401, 'a valid bearer token is needed', 'unauthorized');
    }
  };
}

function refuse(reply: FastifyReply, status: number, error: string, errorCode: string): FastifyReply {
  return reply.code(status).send({ error, error_code: errorCode });
}

/** The client gets the text of its own mistake; a bug of ours is logged, and the client gets no detail. */
function answerError(logger: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = statusOf(error);
  if (status < 500) return refuse(reply, status, errorMessage(error), 'bad_request');
  logger.error({ error, method: request.method, path: request.url }, 'a REST request failed');
  return refuse(reply, 500, 'internal error', 'internal_error');
}

function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !('statusCode' in error)) return 500;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 ? statusCode : 500;
}
