import { z } from 'zod';
import type { FastifySchema } from 'fastify';
import type { ApiRoute } from './api-route.ts';
import { refusalSchema } from '../views/common.ts';

const descriptions: Readonly<Record<number, string>> = {
  200: 'Done, or the answer.',
  201: 'Made.',
  202: 'Accepted; it takes effect when the node answers.',
  204: 'Done.',
};

/** The route as fastify and the API's OpenAPI 3.1 document take it. */
export function routeDocument(route: ApiRoute): FastifySchema {
  const names = Array.from(route.path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
  return {
    summary: route.summary,
    description: needs(route),
    operationId: operationId(route),
    tags: [route.path.split('/')[0] ?? ''],
    ...(route.access !== 'public' && { security: [{ bearer: [] }, { session: [] }] }),
    ...(names.length > 0 && {
      params: {
        type: 'object',
        required: names,
        properties: Object.fromEntries(names.map((name) => [name, { type: 'string', minLength: 1, maxLength: 100 }])),
      },
    }),
    ...(route.query !== null && { querystring: jsonSchema(route.query, 'input') }),
    ...(route.body !== null && { body: jsonSchema(route.body, 'input') }),
    ...(writes(route) && { headers: ifMatch }),
    response: responses(route),
  };
}

const ifMatch = {
  type: 'object',
  properties: {
    'if-match': { type: 'string', description: 'The ETag that was read, or its generation; 412 when stale.' },
  },
};

/** Of what has generations: an API token never changes. */
function writes({ method, path }: ApiRoute): boolean {
  return (method === 'PATCH' || method === 'DELETE') && path.includes('{id}') && !path.startsWith('api-tokens/');
}

function needs({ access }: ApiRoute): string {
  if (access === 'public') return 'Open to everybody.';
  return access === 'any' ? 'Needs a session or token.' : `Needs the role ${access}.`;
}

function responses(route: ApiRoute): Record<string, unknown> {
  const answers = Object.entries(route.answers).map(([status, schema]) => [
    status,
    schema === null
      ? { description: descriptions[Number(status)] ?? '' }
      : jsonResponse(descriptions[Number(status)] ?? '', schema),
  ]);
  return {
    ...(Object.fromEntries(answers) as Record<string, unknown>),
    '4XX': jsonResponse('Refused; `error_code` says why.', refusalSchema),
    503: jsonResponse('The database is away.', refusalSchema),
    504: jsonResponse('The node did not answer in time.', refusalSchema),
  };
}

function jsonResponse(description: string, schema: z.ZodType): object {
  return { description, content: { 'application/json': { schema: jsonSchema(schema, 'output') } } };
}

/** OpenAPI 3.1 takes JSON Schema of draft 2020-12, which is what zod writes; the document declares that once. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const json = Object.entries(z.toJSONSchema(schema, { io, unrepresentable: 'any' }));
  return Object.fromEntries(json.filter(([key]) => key !== '$schema'));
}

function operationId({ method, path }: ApiRoute): string {
  const words = path.replaceAll(/[{}]/g, '').split(/[/.-]/).filter(Boolean);
  return [method.toLowerCase(), ...words].join('_');
}
