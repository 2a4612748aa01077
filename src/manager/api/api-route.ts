import type { z } from 'zod';
import type { Identity } from '../access/identity.ts';
import type { Actor } from '../fleet.ts';
import type { Role } from '../store/access-schema.ts';

/** One request, checked: its credential, its role, and its query and body against their schemas. */
export interface ApiRequest<Query = unknown, Body = unknown> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Of `If-Match`; null when the client does not care. */
  readonly generation: number | null;
  readonly actor: Actor;
  /** Null on public routes. */
  readonly identity: Identity | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** Where the browser sees this manager. */
  readonly origin: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Becomes the ETag: a later write names it in `If-Match`. */
  readonly generation?: number;
  /** Set to null: taken back. */
  readonly cookies?: Readonly<Record<string, string | null>>;
}

/** `any`: every signed-in user. */
export type Access = 'public' | 'any' | Role;

/** One operation of the REST API, without the framework that serves it. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api/v1/`, with `{id}` where a parameter stands. */
  readonly path: string;
  /** One sentence for the API's document. */
  readonly summary: string;
  readonly access: Access;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodType | null;
  /** By status; null has no body. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  handle(request: ApiRequest): Promise<ApiAnswer>;
}

/** As the framework's router has it, with `:id` where a parameter stands. */
export function routerPath({ path }: ApiRoute): string {
  return `/api/v1/${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
}

interface RouteDefinition<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType> extends Pick<
  ApiRoute,
  'method' | 'path' | 'summary' | 'access'
> {
  readonly query?: Query;
  readonly body?: Body;
  readonly answer: Answer;
  /** 200 by default. */
  readonly status?: number;
  /** Further statuses with the same body. */
  readonly also?: readonly number[];
  handle(request: ApiRequest<z.output<Query>, z.output<Body>>): Promise<TypedAnswer<z.input<Answer>>>;
}

interface TypedAnswer<Body> extends Omit<ApiAnswer, 'status' | 'body'> {
  readonly status?: number;
  readonly body: Body;
}

/** A route whose answer the compiler checks against its schema. */
export function apiRoute<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>(
  definition: RouteDefinition<Query, Body, Answer>,
): ApiRoute {
  const { method, path, summary, access, query = null, body = null, answer, status = 200, also = [] } = definition;
  return {
    ...{ method, path, summary, access, query, body },
    answers: Object.fromEntries([status, ...also].map((code) => [code, answer])),
    async handle(request) {
      const answered = await definition.handle(request as ApiRequest<z.output<Query>, z.output<Body>>);
      return { ...answered, status: answered.status ?? status };
    },
  };
}
