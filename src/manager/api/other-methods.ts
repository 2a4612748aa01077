import type { FastifyInstance } from 'fastify';
import { Refusal } from './refusal.ts';

const apiPath = /^\/(api|health|ready|metrics)(\/|$)/;

/**
 * Makes a method that a known path of the API does not have a 405 that names those it has, instead of a 404. Call it
 * before the routes are registered; what it returns, after them.
 */
export function otherMethods(app: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (!apiPath.test(url)) return;
    const methods = known.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    known.set(url, methods);
  });
  return () => {
    for (const [url, methods] of [...known]) {
      const allow = [...methods].toSorted().join(', ');
      app.route({
        method: app.supportedMethods.filter((method) => !methods.has(method)),
        url,
        // Before the body is looked at, which is as unexpected as the method.
        onRequest(_request, reply) {
          void reply.header('allow', allow);
          throw new Refusal(405, 'method_not_allowed', `This path takes ${allow}.`);
        },
        handler: () => undefined,
      });
    }
  };
}
