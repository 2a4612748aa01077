import swagger from '@fastify/swagger';
import { fastify } from 'fastify';
import packageJson from '../../package.json' with { type: 'json' };
import { withNamedSchemas } from '../lib/named-schemas.ts';
import { metricsSchema, routeSchema } from './openapi.ts';
import { withOwnRoutes, type OwnRoutes } from './own-routes.ts';
import { routerPath, type Route } from './route.ts';

export interface DescribedRoutes {
  readonly routes: readonly Route[];
  readonly own: OwnRoutes | undefined;
}

export interface OpenApiSettings {
  /** Stands in the document. */
  readonly title: string;
  readonly tokenConfigured: boolean;
}

/** Makes the document of a REST API. Few clients ask for it, and its libraries are a tenth of a program's start. */
export async function openApiDocument(
  { routes, own }: DescribedRoutes,
  { title, tokenConfigured }: OpenApiSettings,
): Promise<unknown> {
  // This app serves nothing: the library reads the routes that are added to it.
  const app = fastify({ exposeHeadRoutes: true });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version: packageJson.version },
      ...(tokenConfigured && { components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } }),
    },
  });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  const handler = (): undefined => undefined;
  app.after(() => {
    for (const route of routes) {
      app.route({ method: route.method, url: routerPath(route), schema: routeSchema(route, tokenConfigured), handler });
    }
    app.route({ method: 'GET', url: '/metrics', schema: metricsSchema(tokenConfigured), handler });
  });
  await app.ready();
  const described = app.swagger();
  return withNamedSchemas(own === undefined ? described : withOwnRoutes(described, own));
}
