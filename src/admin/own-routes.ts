import type { FastifyInstance } from 'fastify';

type Described = Readonly<Record<string, object>>;

/** Routes of a program that are no `Route`: they take bodies, and have rules of access of their own. */
export interface OwnRoutes {
  add(app: FastifyInstance): void;
  /** What the API's OpenAPI document says of them, by path. */
  readonly paths: Described;
  readonly securitySchemes: Described;
}

interface OpenApi {
  readonly paths?: object;
  readonly components?: { readonly securitySchemes?: object };
}

/** The document with what it says of a program's own routes. */
export function withOwnRoutes(given: object, { paths, securitySchemes }: OwnRoutes): object {
  // Every part of a document of fastify's is optional.
  const document = given as OpenApi;
  return {
    ...document,
    components: {
      ...document.components,
      securitySchemes: { ...document.components?.securitySchemes, ...securitySchemes },
    },
    paths: { ...document.paths, ...paths },
  };
}
