import { z } from 'zod';
import type { FastifySchema } from 'fastify';
import { refusalSchema, type Route } from './route.ts';

/** A UUID in the forms that `parseTunnelId` reads. */
const tunnelIdPattern = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$|^[0-9a-fA-F]{32}$';

const descriptions: Readonly<Record<number, string>> = {
  200: 'The answer.',
  400: 'The request cannot be read.',
  401: 'No bearer token, or a wrong one.',
  403: 'Not allowed while no api_token is configured.',
  404: 'There is no such thing.',
  503: 'The answer, while it is not well.',
};

/**
 * The route as fastify and the API's document take it; the document promises only what can happen under this config.
 */
export function routeSchema(route: Route, tokenConfigured: boolean): FastifySchema {
  return {
    summary: route.summary,
    operationId: operationId(route),
    tags: [tagOf(route.path)],
    ...guardSchema(route.access, tokenConfigured),
    ...pathParameter(route.path),
    response: responses(route, tokenConfigured),
  };
}

const pathParameters: Readonly<Record<string, object>> = {
  id: { type: 'string', pattern: tunnelIdPattern, description: "The tunnel's UUID." },
  flow_id: { type: 'string', description: 'The flow’s id, as the configuration has it.' },
  pid: { type: 'string', pattern: '^[0-9]{1,10}$', description: 'The process id.' },
};

function pathParameter(path: string): FastifySchema {
  const name = /\{(\w+)\}/.exec(path)?.[1];
  if (name === undefined) return {};
  const schema = pathParameters[name];
  if (schema === undefined) throw new TypeError(`nothing says what {${name}} of ${path} is`);
  return { params: { type: 'object', required: [name], properties: { [name]: schema } } };
}

/** Describes `/metrics` and the access to it. */
export function metricsSchema(tokenConfigured: boolean): FastifySchema {
  const text = { description: 'Prometheus text format.', content: { 'text/plain': { schema: { type: 'string' } } } };
  return {
    summary: 'All metrics, for Prometheus.',
    operationId: 'get_metrics',
    tags: ['state'],
    ...guardSchema('token', tokenConfigured),
    response: { 200: text, ...(tokenConfigured && { 401: jsonResponse(401, refusalSchema) }) },
  };
}

function guardSchema(access: Route['access'], tokenConfigured: boolean): FastifySchema {
  return tokenConfigured && access !== 'public' ? { security: [{ bearer: [] }] } : {};
}

function responses(route: Route, tokenConfigured: boolean): Record<string, unknown> {
  if (route.access === 'token-required' && !tokenConfigured) return { 403: jsonResponse(403, refusalSchema) };
  const bodies = Object.entries(route.bodies).map(([status, schema]) => [status, jsonResponse(Number(status), schema)]);
  const guarded = tokenConfigured && route.access !== 'public';
  const refusals = [...route.refusals, ...(guarded ? [401] : [])].map((status) => [
    String(status),
    jsonResponse(status, refusalSchema),
  ]);
  return Object.fromEntries([...bodies, ...refusals]) as Record<string, unknown>;
}

function jsonResponse(status: number, schema: z.ZodType): object {
  return { description: descriptions[status] ?? '', content: jsonContent(schema) };
}

/** OpenAPI 3.1 takes JSON Schema of draft 2020-12, which is what zod writes; the document declares that once. */
export function jsonContent(schema: z.ZodType): object {
  const json = Object.entries(z.toJSONSchema(schema, { io: 'output' })).filter(([key]) => key !== '$schema');
  return { 'application/json': { schema: Object.fromEntries(json) } };
}

/** `tunnels` of `/api/v1/tunnels/{id}`; `state` is what monitors read. */
function tagOf(path: string): string {
  return /^\/api\/v1\/(\w+)/.exec(path)?.[1] ?? 'state';
}

/** `get_flows_flow_id_why` of `GET /api/v1/flows/{flow_id}/why`. */
export function operationId({ method, path }: { readonly method: string; readonly path: string }): string {
  const words = path.replace('/api/v1/', '/').replaceAll(/[{}]/g, '').split('/').filter(Boolean);
  return [method.toLowerCase(), ...words].join('_');
}
