import swagger from '@fastify/swagger';
import { fastify } from 'fastify';
import { withNamedSchemas } from '../../lib/named-schemas.ts';
import { routeDocument } from './api-document.ts';
import { routerPath, type ApiRoute } from './api-route.ts';
import { sessionCookie } from './credentials.ts';
import { exportPath } from './export-events.ts';

const exportDocument = {
  summary: 'All events that match, one JSON object a line, newest first.',
  operationId: 'get_events_export',
  tags: ['events'],
  response: {
    200: { description: 'One event a line.', content: { 'application/x-ndjson': { schema: { type: 'string' } } } },
  },
};

/**
 * Makes the API's own OpenAPI document. Few clients ask for it, and its libraries and schemas are a part of the memory
 * that every manager would have.
 */
export async function openApiDocument(routes: readonly ApiRoute[], softwareVersion: string): Promise<object> {
  // This app serves nothing: the library reads the routes that are added to it.
  const app = fastify();
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
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  const handler = (): undefined => undefined;
  app.after(() => {
    for (const route of routes) {
      app.route({ method: route.method, url: routerPath(route), schema: routeDocument(route), handler });
    }
    app.route({ method: 'GET', url: exportPath, schema: exportDocument, handler });
  });
  await app.ready();
  return withNamedSchemas(app.swagger());
}
