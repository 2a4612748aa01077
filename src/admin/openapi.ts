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

/** The route as fastify and the API's document take it. */
export function routeSchema(route: Route, tokenConfigured: boolean): FastifySchema {
  const bodies = Object.entries(route.bodies).map(([status, schema]) => [status, bodySchema(status, schema)]);
  const guarded = tokenConfigured && route.access !== 'public';
  const refusals = [...route.refusals, ...(guarded ? [401] : [])].map((status) => [
    String(status),
    bodySchema(String(status), refusalSchema),
  ]);
  return {
    summary: route.summary,
    operationId: operationId(route),
    ...(guarded && { security: [{ bearer: [] }] }),
    ...(route.path.includes('{id}') && {
      params: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string', pattern: tunnelIdPattern, description: "The tunnel's UUID." } },
      },
    }),
    response: Object.fromEntries([...bodies, ...refusals]) as Record<string, unknown>,
  };
}

/** A zod schema as JSON Schema, without the marker that does not belong inside an OpenAPI document. */
function bodySchema(status: string, schema: z.ZodType): Record<string, unknown> {
  const json = Object.entries(z.toJSONSchema(schema, { target: 'draft-7', io: 'output' }));
  return {
    description: descriptions[Number(status)] ?? '',
    ...Object.fromEntries(json.filter(([key]) => key !== '$schema')),
  };
}

function operationId({ method, path }: Route): string {
  const words = path.replace('/api/v1/', '/').replaceAll(/[{}]/g, '').split('/').filter(Boolean);
  return [method.toLowerCase(), ...words].join('_');
}
