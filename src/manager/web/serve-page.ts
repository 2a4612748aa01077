import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PageFile } from './bundle-page.ts';

/** Paths that are never a view of the page. */
const notViews = /^\/(api|ws|metrics|health|ready)(\/|$)/;

/** Serves the page: its files by path, and the document itself for every view of it. */
export function servePage(app: FastifyInstance, files: readonly PageFile[]): void {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const document = byPath.get('/index.html');
  for (const file of files) {
    app.get(file.path, (request, reply) => sendFile(request, reply, file));
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const view = request.method === 'GET' || request.method === 'HEAD';
    if (view && document !== undefined && !notViews.test(path)) return sendFile(request, reply, document);
    return reply
      .code(404)
      .type('application/json')
      .send(JSON.stringify({ error: 'no such path', error_code: 'not_found' }));
  });
}

function sendFile(request: FastifyRequest, reply: FastifyReply, { type, body, etag }: PageFile): FastifyReply {
  void reply.headers({ etag, 'cache-control': 'no-cache' });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return reply.type(type).send(body);
}
