import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Logger } from '../../lib/logger.ts';
import { actorOf, anonymous } from '../access/identity.ts';
import type { SignIn } from '../access/sign-in.ts';
import { routerPath, type ApiAnswer, type ApiRequest, type ApiRoute } from './api-route.ts';
import { identify, refuseCrossSite, requireAccess, sessionCookie } from './credentials.ts';
import { Refusal, refusalOf } from './refusal.ts';

export interface ServeDependencies {
  readonly signIn: SignIn;
  readonly logger: Logger;
  /** How browsers reach this manager, if the config has it. */
  readonly publicUrl: string | null;
}

/** Puts the routes below `/api/v1/`: credential, role, site, query, body, in this order; then the route. */
export function serveRoutes(app: FastifyInstance, routes: readonly ApiRoute[], dependencies: ServeDependencies): void {
  for (const route of routes) {
    app.route<{ Params: Record<string, string> }>({
      method: route.method,
      url: routerPath(route),
      async handler(request, reply) {
        const answer = await route.handle(await checkedRequest(route, request, dependencies));
        return sendAnswer(reply, answer);
      },
    });
  }
}

/** Turns what a route or the framework throws into the response. */
export function sendRefusal(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const { status, body, logged } = refusalOf(error);
  if (logged)
    logger.error({ error, method: request.method, path: request.url.split('?', 1)[0] }, 'a REST request failed');
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (error instanceof Refusal && error.extras.retryAfter !== undefined) {
    void reply.header('retry-after', String(error.extras.retryAfter));
  }
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

async function checkedRequest(
  route: ApiRoute,
  request: FastifyRequest<{ Params: Record<string, string> }>,
  { signIn, publicUrl }: ServeDependencies,
): Promise<ApiRequest> {
  const cookie = request.cookies[sessionCookie];
  const { authorization } = request.headers;
  const credentials = { authorization, cookie };
  const identity = route.access === 'public' ? null : await identify(signIn, credentials);
  requireAccess(route.access, identity);
  if (authorization === undefined || route.access === 'public') {
    refuseCrossSite(request, publicUrl, cookie !== undefined && route.access !== 'public');
  }
  return {
    params: request.params,
    query: route.query === null ? {} : parsed(route.query, request.query),
    body: route.body === null ? undefined : parsed(route.body, request.body === undefined ? {} : request.body),
    generation: generationOf(request.headers['if-match']),
    actor: identity === null ? anonymous('nobody', request.ip) : actorOf(identity, request.ip),
    identity,
    ip: request.ip,
    userAgent: request.headers['user-agent'] ?? null,
    cookies: request.cookies,
    origin: publicUrl === null ? `https://${request.headers.host ?? ''}` : new URL(publicUrl).origin,
  };
}

/** Throws a Refusal 400 that names each field. */
function parsed(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const details = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const [first] = details;
  const where = first?.path === '' ? 'the request' : (first?.path ?? 'the request');
  throw new Refusal(400, 'invalid_request', `${where}: ${first?.message ?? 'is not valid'}`, { details });
}

/** `"3"`, `W/"3"`, `3` or `*`. Throws a Refusal 400 for anything else. */
function generationOf(header: string | undefined): number | null {
  if (header === undefined || header === '*') return null;
  const digits = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim())?.[1];
  if (digits === undefined) throw new Refusal(400, 'invalid_request', 'If-Match is not the ETag of a read');
  return Number(digits);
}

function sendAnswer(reply: FastifyReply, answer: ApiAnswer): FastifyReply {
  for (const [name, value] of Object.entries(answer.cookies ?? {})) setCookie(reply, name, value);
  if (answer.generation !== undefined) void reply.header('etag', `"${answer.generation}"`);
  void reply.header('cache-control', 'no-store');
  const location = redirectOf(answer);
  if (location !== null) return reply.redirect(location, answer.status);
  if (answer.status === 204) return reply.code(204).send();
  return reply.code(answer.status).type('application/json; charset=utf-8').send(JSON.stringify(answer.body));
}

function redirectOf({ status, body }: ApiAnswer): string | null {
  return status === 302 && typeof body === 'string' ? body : null;
}

function setCookie(reply: FastifyReply, name: string, value: string | null): void {
  const options = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;
  if (value === null) void reply.clearCookie(name, options);
  else void reply.setCookie(name, value, options);
}
