import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ApiBed } from '../../../support/manager/api-bed.ts';
import { sameOrigin } from '../../../support/manager/rest-call.ts';
import { until } from '../../../support/until.ts';

it('a webhook that is disabled is called no more, and no call waits for its return', async () => {
  await using stack = new AsyncDisposableStack();
  const bed = stack.use(await ApiBed.start({ config: { webhooks: { allow_private: true } } }));
  const target = createServer((_request, response) => response.writeHead(500).end());
  stack.defer(() => void target.close());
  stack.defer(() => target.closeAllConnections());
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const cookie = await bed.signUp();
  const send = (method: string, path: string, body?: object) =>
    bed.send(method, path, { cookie, headers: sameOrigin, ...(body !== undefined && { body }) });

  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/`;
  const made = await send('POST', 'webhooks', { name: 'pager', url, triggers: ['node_offline'] });
  const path = `webhooks/${String(made.body['id'])}`;
  await send('POST', `${path}/test`, {});
  const shown = async () => JSON.stringify((await send('GET', 'webhooks')).body);
  await until(async () => (await shown()).includes('"last_result":"HTTP 500","waiting":1'));

  expect(await send('PATCH', path, { enabled: false })).toMatchObject({ status: 200, body: { waiting: 0 } });
  expect(await send('PATCH', path, { enabled: true })).toMatchObject({ body: { enabled: true, waiting: 0 } });
  expect(await shown()).toContain('given up: the webhook was disabled');
});
