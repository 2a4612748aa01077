import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Fleet } from '../fleet.ts';
import type { FleetMirror } from '../live/fleet-mirror.ts';
import type { EventQuery } from '../store/store.ts';
import { eventFilter, eventFilterSchema } from './event-routes.ts';
import { identify, requireAccess, sessionCookie } from './credentials.ts';
import { Refusal } from './refusal.ts';
import type { ServeDependencies } from './serve-routes.ts';
import { eventWire } from '../views/wire.ts';

export const exportPath = '/api/v1/events/export.ndjson';
const rowsAtOnce = 500;

interface ExportSources {
  readonly fleet: Fleet;
  readonly mirror: FleetMirror;
}

/** `GET events/export.ndjson`: all that match, one JSON object a line, newest first, as fast as the client reads. */
export function serveEventExport(app: FastifyInstance, sources: ExportSources, { signIn }: ServeDependencies): void {
  app.route({
    method: 'GET',
    url: exportPath,
    async handler(request, reply) {
      const cookie = request.cookies[sessionCookie];
      requireAccess('viewer', await identify(signIn, { authorization: request.headers.authorization, cookie }));
      const query = eventFilterSchema.safeParse(request.query);
      if (!query.success) throw new Refusal(400, 'invalid_request', 'The filter is not valid.');
      return reply
        .type('application/x-ndjson')
        .header('content-disposition', 'attachment; filename="events.ndjson"')
        .send(Readable.from(lines(eventFilter(query.data), sources)));
    },
  });
}

async function* lines(filter: Omit<EventQuery, 'limit' | 'after'>, { fleet, mirror }: ExportSources) {
  const nodes = await mirror.nodes();
  let after: number | null = null;
  for (;;) {
    const rows: Awaited<ReturnType<Fleet['events']['page']>> = await fleet.events.page({
      ...filter,
      limit: rowsAtOnce,
      after,
    });
    for (const row of rows) yield `${JSON.stringify(eventWire(row, nodes))}\n`;
    const last = rows.at(-1);
    if (rows.length < rowsAtOnce || last === undefined) return;
    after = last.id;
  }
}
