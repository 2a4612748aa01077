import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';
import type { Role } from '../../../../src/manager/store/access-schema.ts';

const operationSchema = z.looseObject({
  description: z.string().optional(),
  security: z.array(z.unknown()).optional(),
});
const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });

interface Operation {
  readonly method: string;
  readonly path: string;
  /** Null: everybody who is signed in. */
  readonly least: Role | null;
}

const roles: readonly Role[] = ['viewer', 'operator', 'admin'];

describe('each endpoint with each role and each kind of credential', () => {
  let bed: ApiBed;
  let operations: readonly Operation[];
  const tokens = new Map<Role, string>();

  beforeAll(async () => {
    bed = await ApiBed.start();
    const cookie = await bed.signUp();
    for (const role of roles) tokens.set(role, await bed.tokenOf(role, cookie));
    const { body } = await bed.send('GET', 'openapi.json', { token: tokens.get('viewer') ?? '' });
    const { paths } = documentSchema.parse(body);
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { security }]) => security !== undefined)
        .map(([method, { description }]) => {
          const least = /role (\w+)/.exec(description ?? '')?.[1];
          return { method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'none'), least: leastOf(least) };
        }),
    );
  });

  afterAll(async () => bed[Symbol.asyncDispose]());

  test('the document has all guarded operations of the contract', () => {
    expect(operations.length).toBeGreaterThan(60);
    expect(new Set(operations.map(({ least }) => least))).toEqual(new Set([null, 'viewer', 'operator', 'admin']));
  });

  test('MH1 without a credential, with a foreign, an unknown and an expired one: 401', async () => {
    const expired = await bed.access.tokens.page({ limit: 10 });
    const viewer = expired.items.find(({ role }) => role === 'viewer');
    expect(viewer).toBeDefined();
    const old = `adit_${'e'.repeat(43)}`;
    const { hashToken } = await import('../../../../src/manager/access/opaque-token.ts');
    await bed.access.tokens.insert({
      ...{
        id: 'old',
        hash: hashToken(old),
        name: 'old',
        role: 'admin',
        created_by: null,
        created_at: 1,
        expires_at: 2,
      },
      last_used_at: null,
    });
    for (const { method, path } of operations) {
      for (const token of [null, 'abc', `adit_${'x'.repeat(43)}`, old]) {
        const answer = await bed.send(method, path, { token });
        expect([method, path, answer.status]).toEqual([method, path, 401]);
      }
    }
  });

  test.each(roles)('MH1 a %s reaches what its role allows, and nothing else', async (role) => {
    for (const { method, path, least } of operations) {
      if (path.endsWith('/logout') || path.endsWith('/password')) continue;
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      const answer = await bed.send(method, path, { token: tokens.get(role) ?? '', body });
      const allowed = least === null || roles.indexOf(role) >= roles.indexOf(least);
      const refused = answer.status === 403 && answer.body['error_code'] === 'insufficient_role';
      expect({ method, path, role, refused }).toEqual({ method, path, role, refused: !allowed });
      expect(answer.status).toBeLessThan(500);
      if (refused) expect(answer.body['required_role']).toBe(least);
    }
  });

  test('a command that changes something needs an administrator', async () => {
    const [node] = (await bed.fleet.nodes.page({ limit: 1 })).items;
    const path = `nodes/${node?.id ?? ''}/command`;
    const body = { action: { type: 'revoke_tunnel', tunnel_id: 'x' } };
    const asOperator = await bed.send('POST', path, { token: tokens.get('operator') ?? '', body });
    expect(asOperator.status).toBe(403);
    const listed = await bed.send('POST', path, {
      token: tokens.get('operator') ?? '',
      body: { action: { type: 'list_edges' } },
    });
    expect(listed.status).toBe(200);
    const asAdmin = await bed.send('POST', path, { token: tokens.get('admin') ?? '', body });
    expect(asAdmin.status).toBe(200);
  });

  test('a cookie and a token at once are refused', async () => {
    const answer = await bed.send('GET', 'me', {
      token: tokens.get('viewer') ?? '',
      cookie: '__Host-adit=x',
      headers: sameOrigin,
    });
    expect(answer.status).toBe(400);
    expect(answer.body['error_code']).toBe('two_credentials');
  });
});

function leastOf(word: string | undefined): Role | null {
  return roles.find((role) => role === word) ?? null;
}
