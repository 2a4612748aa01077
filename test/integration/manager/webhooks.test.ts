import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, openDatabases, type Databases } from '../../support/manager/databases.ts';
import { SimNode } from '../../support/manager/sim-node.ts';
import { ManagerProcess } from '../../support/programs/manager-process.ts';
import { until } from '../../support/until.ts';

/** Longer than a node needs to come back on a busy machine. */
const graceSecs = 6;

interface Call {
  readonly trigger: string;
  readonly event: { readonly node_name: string };
}

describe.each(engines)('a webhook for nodes that go, on %s', (engine) => {
  let databases: Databases;
  let receiver: Server;
  const calls: string[] = [];
  beforeAll(async () => {
    databases = await openDatabases(engine);
    receiver = createServer((request, response) => {
      void text(request).then((body) => {
        const { trigger, event } = JSON.parse(body) as Call;
        calls.push(`${event.node_name}: ${trigger}`);
        response.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    receiver.closeAllConnections();
    receiver.close();
    await databases[Symbol.asyncDispose]();
  });

  it('MB1 is called after the grace and when they are back, wherever that is, and not for a blip', async () => {
    const options = {
      config: {
        ...{ database: { url: await databases.newUrl() }, offline_grace_secs: graceSecs },
        webhooks: { allow_private: true },
      },
      env: { ADIT_MASTER_KEY: 'ab'.repeat(32) },
      reachable: true,
    };
    await using one = await ManagerProcess.start(options);
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    await one.done('POST', 'webhooks', { name: 'pager', url, triggers: ['node_offline', 'node_online'] });
    const join = async (name: string) => {
      const { id, token } = await one.add(name);
      await using first = await SimNode.dial(one.url);
      const { payload } = await first.authenticate({ registration_token: token });
      await first[Symbol.asyncDispose]();
      await until(async () => (await one.done('GET', `nodes/${id}`))['state'] !== 'online');
      const credentials = payload as Readonly<Record<string, unknown>>;
      return { credentials, node: await SimNode.connect(one.url, credentials) };
    };
    const [blip, gone] = [await join('blip'), await join('gone')];
    for (const { node } of [blip, gone]) await node[Symbol.asyncDispose]();
    await using _back = await SimNode.connect(one.url, blip.credentials);
    await until(() => calls.length > 0, { what: 'the call for the node that stays away' });
    expect(calls).toEqual(['gone: node_offline']);

    // At another instance, or at the same one after a restart.
    await using other = engine === 'postgres' ? await ManagerProcess.start(options) : null;
    if (other === null) {
      await one.end('SIGKILL');
      await one.resume();
    }
    await using late = await SimNode.connect((other ?? one).url, gone.credentials);
    const ofGone = () => calls.filter((call) => call.startsWith('gone'));
    await until(() => ofGone().length > 1, { what: 'the call for the node that is back' });
    expect(ofGone()).toEqual(['gone: node_offline', 'gone: node_online']);
    expect(late.isOpen).toBe(true);
  });
});
