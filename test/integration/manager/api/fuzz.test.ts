import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { refusalSchema } from '../../../../src/manager/views/common.ts';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import type { Role } from '../../../../src/manager/store/access-schema.ts';

const documentSchema = z.object({ paths: z.record(z.string(), z.record(z.string(), z.looseObject({}))) });
const roles: readonly Role[] = ['viewer', 'operator', 'admin'];
const rounds = 300;

describe('any request to any endpoint', () => {
  let bed: ApiBed;
  let operations: readonly { readonly method: string; readonly path: string }[];
  const tokens: string[] = [];

  beforeAll(async () => {
    bed = await ApiBed.start();
    const cookie = await bed.signUp();
    for (const role of roles) tokens.push(await bed.tokenOf(role, cookie));
    const { body } = await bed.send('GET', 'openapi.json', { token: tokens[0] ?? '' });
    operations = Object.entries(documentSchema.parse(body).paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    );
  });

  afterAll(async () => bed[Symbol.asyncDispose]());

  test('MH3 no body, query or parameter makes a 5xx, and every refusal has its shape', async () => {
    const knownId = (await bed.fleet.tunnels.page({ limit: 1 })).items[0]?.id ?? '';
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constant(knownId),
      fc.constant('x'.repeat(1_000)),
    );
    const request = fc.record({
      operation: fc.constantFrom(...operations),
      token: fc.constantFrom(...tokens),
      parameter: text,
      query: fc.dictionary(fc.constantFrom('limit', 'after', 'q', 'state', 'from', 'node', 'status', 'removed'), text),
      body: fc.oneof(
        fc.json(),
        fc.string(),
        fc.constant('{"name":"x","role":"viewer"}'),
        fc.constant('{"__proto__":1}'),
      ),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ operation: { method, path }, token, parameter, query, body }) => {
        const filled = path.replaceAll(/\{\w+\}/g, encodeURIComponent(parameter.toWellFormed()) || 'x');
        const pairs = Object.entries(query).map(([key, value]): [string, string] => [key, value.toWellFormed()]);
        const raw = method === 'GET' || method === 'DELETE' ? {} : { raw: body.toWellFormed() };
        const answer = await bed.send(method, `${filled}?${new URLSearchParams(pairs).toString()}`, { token, ...raw });
        expect([method, path, answer.status < 500]).toEqual([method, path, true]);
        if (answer.status >= 400) expect(refusalSchema.safeParse(answer.body).success).toBe(true);
      }),
      { numRuns: rounds, seed: 17 },
    );
  });
});
