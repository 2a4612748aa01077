import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';

describe('a request that no route takes', () => {
  let bed: ApiBed;
  beforeAll(async () => {
    bed = await ApiBed.start();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  /** The whole answer to these bytes. */
  async function answerTo(bytes: string): Promise<string> {
    const socket = connect({ port: Number(new URL(bed.origin).port), rejectUnauthorized: false });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The server may close while this side still writes.
    socket.on('error', () => undefined);
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  }

  test.each(['PUT', 'TRACE', 'QUERY', 'OPTIONS'])(
    'with the method %s gets 405 and what the path takes',
    async (method) => {
      for (const [path, allow] of [
        ['nodes', 'GET, HEAD, POST'],
        ['nodes/x', 'DELETE, GET, HEAD, PATCH'],
        ['login', 'POST'],
        ['/ready', 'GET, HEAD'],
      ] as const) {
        const answer = await bed.send(method, path);
        expect([path, answer.status, answer.headers.allow]).toEqual([path, 405, allow]);
        expect(answer.body).toMatchObject({ error_code: 'method_not_allowed' });
      }
    },
  );

  test('whose body is null is not taken for one without a body', async () => {
    const cookie = await bed.signUp();
    const [tunnel] = (await bed.fleet.tunnels.page({ limit: 1 })).items;
    const path = `tunnels/${tunnel?.id ?? ''}/retry`;
    const refused = await bed.send('POST', path, { cookie, headers: sameOrigin, raw: 'null' });
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'invalid_request' } });
    expect((await bed.send('POST', path, { cookie, headers: sameOrigin })).status).toBe(200);
  });

  test('to a path that is not there gets 404', async () => {
    expect(await bed.send('PUT', 'nothing')).toMatchObject({ status: 404, body: { error_code: 'not_found' } });
  });

  test('with an address that is too long gets 431 with a body', async () => {
    const answer = await answerTo(`GET /api/v1/nodes?q=${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('content-type: application/json');
    expect(answer).toContain('"error_code":"headers_too_large"');
  });

  test('that is not HTTP gets 400 with a body', async () => {
    const answer = await answerTo('hello\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"error_code":"bad_request"');
  });
});
