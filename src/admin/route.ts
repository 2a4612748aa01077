import { z } from 'zod';
import { parseTunnelId, type TunnelId } from '../protocol/tunnel/tunnel-id.ts';

export type RefusalStatus = 400 | 404;

export interface Refused {
  readonly status: RefusalStatus;
  readonly error: string;
  readonly errorCode: string;
}

export type RouteAnswer<Body> = { readonly status: 200 | 503; readonly body: Body } | Refused;

/** An answer that must be on disk first comes later. */
export type Answering<Body> = RouteAnswer<Body> | Promise<RouteAnswer<Body>>;

/** Every answer that is an error. The same words as in a `command_ack` (docs/protocol/manager.md §4). */
export const refusalSchema = z.object({ error: z.string(), error_code: z.string() });

/** One operation of the REST API, without the framework that serves it. */
export interface Route {
  readonly method: 'GET' | 'DELETE';
  /**
   * With `{id}` where a tunnel's UUID stands, `{flow_id}` where a flow's, `{pid}` where a process id does; one at most.
   */
  readonly path: string;
  /** One sentence for the API's document. */
  readonly summary: string;
  readonly access: 'public' | 'token' | 'token-required';
  readonly bodies: Readonly<Partial<Record<200 | 503, z.ZodType>>>;
  readonly refusals: readonly RefusalStatus[];
  /** `id` is what stands in that place; empty for a path without one. */
  handle(id: string): Answering<unknown>;
}

/** A route whose answer the compiler checks against its schema. */
export function route<Schema extends z.ZodType>(
  definition: Omit<Route, 'bodies' | 'handle'> & {
    readonly body: Schema;
    readonly unavailable?: boolean;
    handle(id: string): Answering<z.output<Schema>>;
  },
): Route {
  const { body, unavailable = false, ...rest } = definition;
  return { ...rest, bodies: unavailable ? { 200: body, 503: body } : { 200: body } };
}

/** The path as fastify's router takes it. */
export function routerPath({ path }: Pick<Route, 'path'>): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** Answers about the tunnel that the path names, or that it names none. */
export function answerAbout<Body>(text: string, answer: (id: TunnelId) => Answering<Body>): Answering<Body> {
  const id = parseTunnelId(text);
  return id === null ? { status: 400, error: 'Invalid UUID', errorCode: 'invalid_uuid' } : answer(id);
}

/** The route of one tunnel; `find` gives null where there is none with this id. */
export function tunnelRoute<Schema extends z.ZodType>(
  body: Schema,
  find: (id: TunnelId) => z.output<Schema> | null,
): Route {
  return route({
    method: 'GET',
    path: '/api/v1/tunnels/{id}',
    summary: 'One tunnel.',
    access: 'token',
    body,
    refusals: [400, 404],
    handle: (text) =>
      answerAbout(text, (id) => {
        const tunnel = find(id);
        return tunnel === null ? notFound(id) : { status: 200, body: tunnel };
      }),
  });
}

export function notFound(id: TunnelId): Refused {
  return { status: 404, error: `Tunnel '${id}' not found`, errorCode: 'not_found' };
}
