import { expect, it } from 'vitest';
import { createQuinnEngine } from '../../../../src/quic/quinn/quinn-engine.ts';
import { FakeAddon } from '../../../support/fakes/fake-addon.ts';

it('a local connection that the engine does not begin fails in a turn of its own, unless it is given up', async () => {
  const fake = new FakeAddon();
  fake.answers.set('connectTcp', () => {
    throw Object.assign(new Error('fe80::1%eth0 is no IP address'), { code: 'address-unavailable' });
  });
  const tunnel = createQuinnEngine(fake.addon).localSockets?.openTunnel({
    ...{ key: new Uint8Array(32), localResetCode: 16, notAuthenticCode: 18 },
  });
  const calls: string[] = [];
  const handler = (name: string) => ({
    onConnected: () => expect.unreachable(),
    onFailed: (error: Error) => calls.push(`${name}: ${error.message}`),
  });
  const address = { ip: 'fe80::1%eth0', port: 80 };
  tunnel?.connect(address, handler('kept'));
  tunnel?.connect(address, handler('given up')).reset();
  expect(calls).toEqual([]);
  await new Promise(setImmediate);
  expect(calls).toEqual(['kept: fe80::1%eth0 is no IP address']);
  expect(fake.callsOf('abortTcp')).toEqual([]);
});
