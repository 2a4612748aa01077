import { z } from 'zod';
import { checkChain } from '../access/audit-chain.ts';
import type { UserRow } from '../store/access-schema.ts';
import { apiRoute, type ApiRoute } from './api-route.ts';
import type { ApiParts } from './api-parts.ts';
import { present } from './present-fields.ts';
import { pageQuerySchema } from './query.ts';
import { apiTokenSchema, auditCheckSchema, auditSchema, userSchema } from '../views/access.ts';
import { listOf, roleSchema, timeSchema } from '../views/common.ts';
import { nameSchema } from './session-routes.ts';

const passwordSchema = z.string().max(10_000);

/** Users, API tokens and the audit trail. */
export function administrationRoutes(parts: ApiParts): readonly ApiRoute[] {
  return [...userRoutes(parts), ...tokenRoutes(parts), ...auditRoutes(parts)];
}

function userRoutes({ access, users }: ApiParts): readonly ApiRoute[] {
  const written = async (user: UserRow) => ({
    body: userWire(user, await access.sessions.countsByUser()),
    generation: user.generation,
  });
  return [
    apiRoute({
      method: 'GET',
      path: 'users',
      summary: 'Users by name.',
      access: 'admin',
      query: pageQuerySchema,
      answer: listOf(userSchema),
      async handle({ query: { limit, after, q } }) {
        const page = await access.users.page({ limit, ...present({ after, q }) });
        const counts = await access.sessions.countsByUser();
        return { body: { items: page.items.map((user) => userWire(user, counts)), next: page.next } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'users/{id}',
      summary: 'One user.',
      access: 'admin',
      answer: userSchema,
      handle: async ({ params }) => written(await users.get(params['id'] ?? '')),
    }),
    apiRoute({
      method: 'POST',
      path: 'users',
      summary: 'Adds a user with a password.',
      access: 'admin',
      body: z.object({ name: nameSchema, password: passwordSchema, role: roleSchema }),
      answer: userSchema,
      status: 201,
      handle: async ({ body, actor }) => written(await users.create(body, actor)),
    }),
    apiRoute({
      method: 'PATCH',
      path: 'users/{id}',
      summary: 'Changes role or password of a user, or disables it; its sessions end.',
      access: 'admin',
      body: z.object({ role: roleSchema, disabled: z.boolean(), password: passwordSchema }).partial(),
      answer: userSchema,
      handle: async ({ params, body, generation, actor }) =>
        written(await users.change(params['id'] ?? '', body, generation, actor)),
    }),
    apiRoute({
      method: 'DELETE',
      path: 'users/{id}',
      summary: 'Deletes a user; its sessions end.',
      access: 'admin',
      answer: z.object({}),
      async handle({ params, generation, actor }) {
        await users.remove(params['id'] ?? '', generation, actor);
        return { body: {} };
      },
    }),
  ];
}

type SessionCounts = Awaited<ReturnType<ApiParts['access']['sessions']['countsByUser']>>;

function userWire(user: UserRow, counts: SessionCounts): z.input<typeof userSchema> {
  const { id, name, role, disabled_at, created_at } = user;
  const sessions = counts.find(({ user_id }) => user_id === id);
  return {
    ...{ id, name, role, disabled_at, created_at, sign_in: user.oidc_subject === null ? 'password' : 'oidc' },
    ...{ sessions: sessions?.count ?? 0, last_used_at: sessions?.last_used_at ?? null },
  };
}

function tokenRoutes({ access, users }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'api-tokens',
      summary: 'API tokens by name, without the tokens.',
      access: 'admin',
      query: pageQuerySchema,
      answer: listOf(apiTokenSchema),
      async handle({ query: { limit, after, q } }) {
        const page = await access.tokens.page({ limit, ...present({ after, q }) });
        return { body: { items: page.items.map(tokenWire), next: page.next } };
      },
    }),
    apiRoute({
      method: 'POST',
      path: 'api-tokens',
      summary: 'Makes a token, shown this once.',
      access: 'admin',
      body: z.object({ name: nameSchema, role: roleSchema, expires_at: timeSchema.min(0).nullable().default(null) }),
      answer: apiTokenSchema.extend({ token: z.string() }),
      status: 201,
      async handle({ body, actor }) {
        const { row, token } = await users.createToken(body, actor);
        return { body: { ...tokenWire(row), token } };
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: 'api-tokens/{id}',
      summary: 'Revokes a token at once.',
      access: 'admin',
      answer: z.object({}),
      async handle({ params, actor }) {
        await users.revokeToken(params['id'] ?? '', actor);
        return { body: {} };
      },
    }),
  ];
}

function tokenWire(row: z.input<typeof apiTokenSchema>): z.input<typeof apiTokenSchema> {
  const { id, name, role, created_at, expires_at, last_used_at } = row;
  return { id, name, role, created_at, expires_at, last_used_at };
}

function auditRoutes({ access }: ApiParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: 'audit',
      summary: 'The audit trail, newest first, filtered by a part of actor, action or target.',
      access: 'admin',
      query: pageQuerySchema,
      answer: listOf(auditSchema),
      async handle({ query: { limit, after, q } }) {
        const from = after !== undefined && /^\d{1,15}$/.test(after) ? Number(after) : null;
        const rows = await access.trail.page({ limit, after: from, ...present({ q }) });
        const items = rows.map((row) => ({
          ...row,
          id: String(row.id),
          before: row.before === null ? null : (JSON.parse(row.before) as unknown),
          after: row.after === null ? null : (JSON.parse(row.after) as unknown),
        }));
        return { body: { items, next: rows.length < limit ? null : String(rows.at(-1)?.id) } };
      },
    }),
    apiRoute({
      method: 'GET',
      path: 'audit/verify',
      summary: 'Walks the chain of hashes: a changed, added or removed row shows.',
      access: 'admin',
      answer: auditCheckSchema,
      async handle() {
        const { ok, checked, broken_at } = await checkChain(access.trail);
        return { body: { ok, checked, broken_at: broken_at === null ? null : String(broken_at) } };
      },
    }),
  ];
}
